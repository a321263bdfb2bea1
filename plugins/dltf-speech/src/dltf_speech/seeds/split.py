"""The parts of public data sets."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import validators

Split = Literal["test", "train"]
CommandSplit = Literal["test", "validation", "train", "all"]

known_split = validators.in_(get_args(Split))
known_command_split = validators.in_(get_args(CommandSplit))
