"""TensorFlow Lite (LiteRT) as a model backend for dltf."""
