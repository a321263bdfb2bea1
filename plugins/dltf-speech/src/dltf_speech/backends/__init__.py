"""Models that take sound and give text."""
