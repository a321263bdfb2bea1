"""Mutation operators: one to a file. Samples are int16 [n, length], mono; strengths float64 [n].

Most of them call a transform of audiomentations for what it does to sound, never for what it draws: its transforms draw
from global generators. So each call makes a transform of its own, hands it parameters that come from our draws, and
calls its `apply` (`transforms`).
"""
