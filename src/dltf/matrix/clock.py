"""The timing of a matrix: the variants that ran, opened beside each other in one process, at two batch sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs
from attrs import field, frozen

from dltf.campaign.opening import model_of
from dltf.errors import DltfError
from dltf.matrix.claims import claims, noise_figures
from dltf.matrix.timing import Timings, measure
from dltf.variant import Variant

if TYPE_CHECKING:
    from dltf.matrix.run import Row, Told
    from dltf.profile.matrix import MatrixProfile
    from dltf.values import Seed


@frozen(eq=False)
class Timed:
    """What each variant took, by its name and the batch; and what may be said of the differences."""

    variants: Mapping[str, Mapping[str, Any]]
    told: Mapping[str, Any] = field(factory=dict)


def timed(rows: Sequence[Row], profile: MatrixProfile, seeds: Sequence[Seed], told: Told) -> Timed:
    """Time every variant that ran, on the first seeds; one that cannot be opened beside the others has no times."""
    ready = [row for row in rows if row.ran is not None and row.ran.outputs is not None]
    variants: dict[str, dict[str, Any]] = {row.cell.name: {} for row in ready}
    left: dict[str, str] = {}
    notes: dict[str, Any] = {"repetitions": profile.matrix.repetitions, "left_out": left}
    by_batch: dict[int, Timings] = {}
    with ExitStack() as stack:
        opened: dict[str, Variant] = {}
        for row in ready:
            told(f"opening {row.cell.name} for timing", len(opened), len(ready))
            try:
                opened[row.cell.name] = stack.enter_context(_open(row))
            except DltfError as error:
                left[row.cell.name] = error.message
        for batch in sorted({1, profile.matrix.batch}):
            runs, some = {}, seeds[:batch]
            for name, variant in opened.items():
                try:
                    runs[name] = variant.turn([seed.sample for seed in some], [seed.columns for seed in some])
                    runs[name]()
                except DltfError as error:
                    left[name] = error.message
                    runs.pop(name, None)
            if profile.reference not in runs:
                continue
            total = profile.matrix.repetitions

            def progressed(done: int, of: int = total, size: int = batch) -> None:
                told(f"timing batches of {size}", done, of)

            by_batch[batch] = measure(runs, total, progressed=progressed)
            for name, figures in by_batch[batch].figures().items():
                variants[name][str(batch)] = figures
    if by_batch:
        notes["claims"] = [claim.as_dict() for claim in claims(by_batch, profile.reference)]
        notes["noise_floor"] = {str(batch): noise_figures(timings) for batch, timings in by_batch.items()}
    return Timed({name: figures for name, figures in variants.items() if figures}, notes)


def _open(row: Row) -> Variant:
    assert row.profile is not None
    model = model_of(row.profile.reference, attrs.evolve(row.profile.campaign, isolate=False))
    return Variant("variant", model, row.profile.domain.tensors)
