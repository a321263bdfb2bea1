"""The two parts of a public data set."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import validators

Split = Literal["test", "train"]

known_split = validators.in_(get_args(Split))
