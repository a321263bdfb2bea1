"""OpenVINO as a model backend and converter for dltf."""
