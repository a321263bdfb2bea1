"""Detectors: raw outputs → boxes, and whether two sets of boxes differ."""
