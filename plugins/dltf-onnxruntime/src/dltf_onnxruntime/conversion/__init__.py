"""Converters of ONNX files: fewer bits, fewer weights, other weights."""
