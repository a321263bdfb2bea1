"""The rate of the clips of a campaign."""

from __future__ import annotations

from attrs import validators

DEFAULT_HZ = 16000

known_rate = validators.and_(validators.instance_of(int), validators.ge(1000), validators.le(192_000))
