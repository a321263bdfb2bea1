"""Mutation operators: one to a file. Samples are uint8 [n, height, width, channels], strengths float64 [n]."""
