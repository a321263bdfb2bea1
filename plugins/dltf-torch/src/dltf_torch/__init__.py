"""PyTorch as a model backend for dltf."""
