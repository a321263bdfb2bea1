"""ONNX Runtime as a model backend for dltf."""
