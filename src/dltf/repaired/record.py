"""`repair.json`: a fitted head, whose answers it corrects, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.errors import ModelFileError

_HINT = "give the repair.json that dltf repair wrote"


@frozen(eq=False)
class Repair:
    """What `repair.json` says: `head` is the head's file, `candidate` and `reference` name models by their sha256."""

    file: Path
    use: str  # the component that fitted the head
    head: Path
    threshold: float  # the advantage from which on the head takes the word
    states: int
    classes: int
    candidate: Mapping[str, Any]
    reference: Mapping[str, Any]
    settings: Mapping[str, Any]  # of the component

    @property
    def files(self) -> tuple[Path, Path]:
        """All that the repair is made of."""
        return self.file, self.head


def read_repair(file: Path) -> Repair:
    """Read a repair; raise `ModelFileError` where the file is none, or its head is not there."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelFileError(f"{file} cannot be read as a repair: {why}", hint=_HINT) from error
    wrong = _wrong(told)
    if wrong:
        raise ModelFileError(f"{file} is no repair: {wrong}", hint=_HINT)
    head = file.parent / told["head"]
    if not head.is_file():
        raise ModelFileError(f"{file} names the head {told['head']}, which is not beside it", hint="keep them together")
    return Repair(
        file=file,
        use=told["use"],
        head=head,
        threshold=float(told["threshold"]),
        states=told["states"],
        classes=told["classes"],
        candidate=told["candidate"],
        reference=told.get("reference", {}),
        settings=_settings(told),
    )


def _settings(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return those of the head that is used, where the record has those of several."""
    heads = told.get("settings", {}).get("heads", {})
    settings: Mapping[str, Any] = heads.get(told["use"], {})
    return settings


def _wrong(told: Any) -> str:
    if not isinstance(told, dict):
        return "it holds no table"
    for key, kind in (("use", str), ("head", str), ("states", int), ("classes", int)):
        if type(told.get(key)) is not kind:
            return f'"{key}" is missing or is none: {told.get(key)!r}'
    threshold = told.get("threshold")
    if not isinstance(threshold, (int, float)) or isinstance(threshold, bool) or not isfinite(threshold):
        return f'"threshold" is missing or is no number: {threshold!r}'
    candidate = told.get("candidate")
    if not isinstance(candidate, dict) or not isinstance(candidate.get("sha256"), str):
        return '"candidate" does not say which model it repairs'
    return ""
