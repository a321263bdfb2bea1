"""Shipping: a repaired candidate as files that run without dltf, held against what was measured."""
