"""Profiles for tests, as TOML text."""

from __future__ import annotations

from pathlib import Path

TOY = """
[campaign]
name = "toy"
domain = "toy"

[seeds]
use = "toy.points"

[models.reference]
backend = "toyrun"
file = "reference.json"

[models.candidate]
backend = "toyrun"
file = "candidate.json"

[search]
use = "dflare"
max_queries = 200

[[operators]]
use = "toy.jitter"

[[operators]]
use = "toy.nudge"
"""


def write_profile(folder: Path, text: str = TOY, name: str = "profile.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file
