"""What a matrix comes to, as plain values: `matrix.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.campaign.environment import model_facts
from dltf.errors import MisfitError
from dltf.matrix.labels import accuracy, label_differences, worst
from dltf.matrix.metrics import Outputs, compare, distances
from dltf.matrix.tolerance import Tolerance, tolerance_of
from dltf.matrix.verdict import FAILURES, NOT_RUN, REFERENCE, verdict_of
from dltf.profile.variants import pins_threads, plain_steps

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.matrix.run import Known, Row
    from dltf.profile.matrix import MatrixProfile
    from dltf.profile.variants import Cell

_PRECISIONS = re.compile(r"u?int8|bf16|bfloat16|fp?16|float16", re.IGNORECASE)


def written(profile: MatrixProfile, host: Host, rows: Sequence[Row], known: Known) -> dict[str, Any]:
    """Return the matrix without its timing; cells that cannot be compared become failures."""
    labels = [seed.label for seed in known.seeds]
    reference = next(row for row in rows if row.cell.name == profile.reference)
    ours = reference.ran.outputs if reference.ran is not None else None
    variants = [_variant(profile, row, ours, labels) for row in rows]
    comparable = [
        _outputs(row) if one["verdict"] not in FAILURES else None for row, one in zip(rows, variants, strict=True)
    ]
    return {
        "schema": 1,
        "name": profile.campaign.name,
        "reference": profile.reference,
        "seeds": len(known.seeds),
        "skipped": known.skipped,
        "labelled": any(label is not None for label in labels),
        "batch": profile.matrix.batch,
        "calibration": {"seeds": len(known.calibration), "apart": known.apart} if known.calibration else None,
        "variants": variants,
        "differences": label_differences(comparable),
        "worst": _worst(profile, rows, comparable, ours, known),
        "threads": profile.matrix.threads,
        "pinned": _pinned(host, rows, profile.matrix.threads),
    }


def _outputs(row: Row) -> Outputs | None:
    return row.ran.outputs if row.ran is not None else None


def _variant(profile: MatrixProfile, row: Row, ours: Outputs | None, labels: Sequence[Any]) -> dict[str, Any]:
    assert row.ran is not None, "every cell was run, or is a failure"
    cell, ran = row.cell, row.ran
    told: dict[str, Any] = {
        "name": cell.name,
        "verdict": ran.failure,
        "reason": ran.reason,
        "source": str(cell.source),
        "backend": cell.table.get("backend"),
        "target": ran.facts.get("target", cell.table.get("target")),
        "settings": {
            key: value for key, value in cell.table.items() if key not in ("backend", "target", "input", "output")
        },
        "convert": plain_steps(cell),
        "conversions": [] if row.converted is None else list(row.converted.steps),
    }
    if row.converted is not None and row.profile is not None:
        facts = model_facts(row.profile.reference)
        told |= {"file": facts["file"], "sha256": facts["sha256"], "bytes": facts["bytes"]}
        told["versions"] = dict(row.profile.reference.backend.versions())
    if ran.outputs is None:
        return told
    share, interval = accuracy(ran.outputs, labels)
    told |= {"accuracy": share, "accuracy_interval": interval, "seconds": ran.seconds}
    told |= {
        key: ran.facts.get(key) for key in ("load_s", "peak_memory_bytes", "one_by_one", "batch_difference", "repeats")
    }
    told["notes"] = [*ran.facts.get("notes", ()), *_notes(ran.facts)]
    return told | _compared(profile, cell, ran.outputs, ours, labels)


def _notes(facts: Mapping[str, Any]) -> list[str]:
    notes = []
    if facts.get("one_by_one"):
        apart = facts.get("batch_difference") or 0.0
        notes.append(f"its answers depend on the batch (by up to {apart:.2g}): it was shown inputs one by one")
    if facts.get("repeats") is False:
        notes.append("it answers differently when it is asked again")
    return notes


def _compared(
    profile: MatrixProfile, cell: Cell, outputs: Outputs, ours: Outputs | None, labels: Sequence[Any]
) -> dict[str, Any]:
    if ours is None:
        why = f'the reference "{profile.reference}" has no answers to compare with'
        return {"verdict": NOT_RUN, "reason": why} if cell.name != profile.reference else {}
    if cell.name == profile.reference:
        return {"verdict": REFERENCE, "reason": ""}
    try:
        figures = compare(ours, outputs, labels, tolerance=_tolerance(profile, cell))
    except MisfitError as error:
        return {"verdict": NOT_RUN, "reason": f"it cannot be compared with the reference: {error.message}"}
    verdict, reason = verdict_of(figures)
    return {"verdict": verdict, "reason": reason, "figures": figures}


def _tolerance(profile: MatrixProfile, cell: Cell) -> Tolerance:
    if profile.matrix.tolerance is not None:
        return Tolerance(profile.matrix.tolerance, profile.matrix.tolerance)
    return tolerance_of(precision_of(cell))


def precision_of(cell: Cell) -> str:
    """Return the least precise type that a cell is known to compute in: its conversions, settings and file tell."""
    named = [*(step.use for step in cell.steps), *map(str, cell.table.values()), cell.source.stem]
    found = {match.lower() for text in named for match in _PRECISIONS.findall(text)}
    short = {"uint8": "int8", "bf16": "bfloat16", "f16": "float16", "fp16": "float16"}
    kinds = {short.get(one, one) for one in found}
    return next((kind for kind in ("int8", "bfloat16", "float16") if kind in kinds), "float32")


def _worst(
    profile: MatrixProfile, rows: Sequence[Row], outputs: Sequence[Outputs | None], ours: Outputs | None, known: Known
) -> list[dict[str, Any]]:
    """Return the inputs that differ from the reference, over all variants, the most severe first."""
    found: list[dict[str, Any]] = []
    labels = [seed.label for seed in known.seeds]
    for row, one in zip(rows, outputs, strict=True):
        if ours is None or one is None or row.cell.name == profile.reference:
            continue
        for told in worst(ours, one, labels, distances(ours, one), profile.matrix.worst):
            seed = known.seeds[told["case"]]
            found.append({"variant": row.cell.name, **told, "case": known.cases[told["case"]], "seed_name": seed.name})
    return sorted(found, key=_how_bad)[: profile.matrix.worst]


def _how_bad(told: Mapping[str, Any]) -> tuple[bool, float]:
    margin = told["margin"]
    return told["kind"] != "not finite", -(-np.inf if margin is None else margin)


def _pinned(host: Host, rows: Sequence[Row], threads: int) -> str:
    """Say what runs on how many threads."""
    loose = sorted(
        {str(row.cell.table.get("backend")) for row in rows if not row.cell.wrong and not pins_threads(host, row.cell)}
    )
    told = f"every runtime that has a setting for it runs on {threads} thread{'s' if threads != 1 else ''}"
    return f"{told}; {', '.join(loose)} has none" if loose else told
