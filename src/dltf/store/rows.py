"""What is stored, and how it reads as a row of `schema.sql`; columns in the order of the schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from attrs import evolve, frozen

from dltf.values import Answer, Finding


@frozen(eq=False)
class Screened:
    """One screened seed; the answers are None where a runtime failed on it."""

    case: int
    name: str
    sha256: str  # of the sample
    label: Hashable | None
    columns: Mapping[str, Any]  # of the seed
    outcome: str  # agree, natural, nonfinite, crash
    unconfirmed: bool
    tied: bool
    reference: Answer | None
    candidate: Answer | None


@frozen
class CaseEnd:
    """How the search of one case ended."""

    case: int
    outcome: str  # found, nonfinite, crash, exhausted, timeout
    queries: int
    unconfirmed: int


@frozen(eq=False)
class Derived:
    """What became of a finding in a phase after the search; `unconfirmed` samples that seemed better did not hold."""

    finding: Finding  # with the phase and its queries
    unconfirmed: int


def of_screened(screened: Screened) -> tuple[Any, ...]:
    """Return the row of a screened seed."""
    s = screened
    told = (s.case, to_text(s.name), s.sha256, to_json(s.label), to_json(s.columns), s.outcome, s.unconfirmed, s.tied)
    return (*told, *_row(s.reference), *_row(s.candidate))


def to_screened(row: tuple[Any, ...]) -> Screened:
    """Read a screened seed."""
    return Screened(
        case=row[0],
        name=row[1],
        sha256=row[2],
        label=_value(row[3]),
        columns=json.loads(row[4]),
        outcome=row[5],
        unconfirmed=bool(row[6]),
        tied=bool(row[7]),
        reference=_answer(row[8:11]),
        candidate=_answer(row[11:14]),
    )


def of_finding(finding: Finding) -> tuple[Any, ...]:
    """Return the row of a finding."""
    f = finding
    told = (f.case, to_text(f.seed_name), to_json(f.seed_label), f.phase, f.kind, to_text(f.message), f.queries, f.tied)
    weighed = (f.reference_margin, f.candidate_margin, f.grade, f.region, to_json(f.columns))
    made = (to_json(f.chain), to_json(f.last_draw), to_json(f.distances), *weighed, f.suffix)
    return (
        *told,
        *_row(f.reference),
        *_row(f.candidate),
        *made,
        hashlib.sha256(f.sample).hexdigest(),
        f.sample,
        f.seed,
    )


def to_finding(row: tuple[Any, ...]) -> Finding:
    """Read a finding."""
    return Finding(
        case=row[0],
        seed_name=row[1],
        seed_label=_value(row[2]),
        phase=row[3],
        kind=row[4],
        message=row[5],
        queries=row[6],
        tied=bool(row[7]),
        reference=_answer(row[8:11]),
        candidate=_answer(row[11:14]),
        chain=tuple(json.loads(row[14])),
        last_draw=json.loads(row[15]),
        distances=json.loads(row[16]),
        reference_margin=row[17],
        candidate_margin=row[18],
        grade=row[19],
        region=row[20],
        columns=json.loads(row[21]),
        suffix=row[22],
        sample=row[24],
        seed=row[25],
    )


def of_derived(derived: Derived) -> tuple[Any, ...]:
    """Return the row of a derived finding."""
    f = derived.finding
    weighed = (to_json(f.chain), to_json(f.distances), f.reference_margin, f.candidate_margin, f.grade, f.region)
    told = (f.case, f.phase, f.queries, derived.unconfirmed, f.tied, *_row(f.reference), *_row(f.candidate))
    return (*told, *weighed, hashlib.sha256(f.sample).hexdigest(), f.sample)


def to_derived(row: tuple[Any, ...], finding: Finding) -> Finding:
    """Read what became of a finding."""
    return evolve(
        finding,
        phase=row[1],
        queries=row[2],
        tied=bool(row[4]),
        reference=_answer(row[5:8]),
        candidate=_answer(row[8:11]),
        chain=tuple(json.loads(row[11])),
        last_draw={},
        distances=json.loads(row[12]),
        reference_margin=row[13],
        candidate_margin=row[14],
        grade=row[15],
        region=row[16],
        sample=row[18],
    )


def marks(count: int) -> str:
    """Return the question marks of a row."""
    return ", ".join("?" * count)


def to_json(value: object) -> str:
    """Write a decision, a label or a mapping."""
    return to_text(json.dumps(_plain(value), ensure_ascii=False))


def to_text(text: str) -> str:
    """Write the bytes of a file name that are no UTF-8 as escapes: the store takes Unicode alone."""
    return text.encode(errors="backslashreplace").decode()


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _value(text: str | None) -> Hashable:
    """Turn a stored decision back: a list was a tuple."""
    return None if text is None else _hashable(json.loads(text))


def _hashable(value: Any) -> Hashable:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value


def _row(answer: Answer | None) -> tuple[str | None, float | None, bytes | None]:
    if answer is None:
        return None, None, None
    state = None if answer.state is None else answer.state.astype("<f4").tobytes()
    return to_json(answer.decision), answer.log_score, state


def _answer(row: tuple[Any, ...]) -> Answer | None:
    decision, log_score, state = row
    if decision is None:
        return None
    vector = None if state is None else np.frombuffer(state, dtype="<f4")
    # SQLite keeps NaN as NULL.
    return Answer(_value(decision), float("nan") if log_score is None else log_score, vector)
