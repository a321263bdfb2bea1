"""One cell of a matrix: converted, opened and run on every seed, in a process of its own, and what came of it kept."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from attrs import frozen

from dltf import __version__
from dltf.campaign.environment import model_facts
from dltf.campaign.opening import model_of
from dltf.campaign.probe import probe
from dltf.errors import (
    MisfitError,
    MissingPackageError,
    ModelFileError,
    RuntimeFailedError,
    TargetUnavailableError,
)
from dltf.matrix.metrics import Outputs
from dltf.matrix.verdict import NOT_HERE, NOT_LOADED, NOT_RUN
from dltf.profile.structure import unstructure
from dltf.store.folder import write_whole
from dltf.variant import Variant, concatenate

if TYPE_CHECKING:
    from dltf.profile import Profile
    from dltf.profile.model import Variant as Described
    from dltf.values import Seed

PROBED = 64  # seeds that decoders and the probe look at


@frozen(eq=False)
class Ran:
    """What a cell came to: its answers, or the level of its failure and the reason."""

    outputs: Outputs | None
    failure: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = {}
    seconds: float = 0.0


def failed(error: Exception, stage: str) -> Ran:
    """Return the row of a cell that could not be had; `stage` is where it stood."""
    hint = getattr(error, "hint", "")
    reason = f"{getattr(error, 'message', error)}{'; ' if hint else ''}{hint}"
    absent = isinstance(error, (MissingPackageError, TargetUnavailableError))
    return Ran(None, NOT_HERE if absent else stage, reason)


def cell_key(profile: Profile, seeds: str, batch: int) -> str:
    """Return what a cell's answers depend on, as a hash: model, settings, seeds, and the runtime's versions."""
    described = profile.reference
    table = unstructure(described.table)
    told = {
        "model": model_facts(described)["sha256"],
        "target": table.get("target"),
        "backend": [table["backend"], _settings(described.backend), dict(described.backend.versions())],
        "input": _settings(described.input),
        "output": _settings(described.decoder),
        "feeds": unstructure(described.feeds),
        "domain": [profile.campaign.domain, _settings(profile.domain)],
        "seeds": seeds,
        "batch": batch,
        "dltf": __version__,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:32]


def run_cell(
    profile: Profile, seeds: Sequence[Seed], batch: int, timeout_s: float, progressed: Callable[[int], None]
) -> Ran:
    """Show every seed to the cell's model, in a process of its own."""
    described = profile.reference
    began = time.perf_counter()
    stage = NOT_LOADED
    try:
        model = model_of(described, attrs.evolve(profile.campaign, isolate=True, call_timeout_s=timeout_s))
        with Variant("variant", model, profile.domain.tensors) as variant:
            load_s = time.perf_counter() - began
            stage = NOT_RUN
            outputs, facts = _answers(variant, described, seeds, batch, progressed)
            facts |= {"load_s": load_s, "target": variant.target, "notes": list(variant.notes)}
            facts["peak_memory_bytes"] = variant.peak_memory_bytes
    except (ModelFileError, MisfitError, MissingPackageError, TargetUnavailableError, RuntimeFailedError) as error:
        return failed(error, stage)
    return Ran(outputs, facts=facts, seconds=time.perf_counter() - began)


def _answers(
    variant: Variant, described: Described, seeds: Sequence[Seed], batch: int, progressed: Callable[[int], None]
) -> tuple[Outputs, dict[str, Any]]:
    first = list(seeds[:PROBED])
    variant.settle(described.decoder, [seed.sample for seed in first], [seed.columns for seed in first])
    seen = probe(variant, first, None)
    variant.alone = not seen.batch
    assert variant.decoder is not None, "it has been settled"
    parts, raw = [], []
    for start in range(0, len(seeds), batch):
        some = seeds[start : start + batch]
        groups = variant.raw([seed.sample for seed in some], [seed.columns for seed in some])
        order = np.argsort(np.concatenate([rows for rows, _ in groups]), kind="stable")
        parts.append(concatenate([variant.decoder.decode(named) for _, named in groups]).take(order))
        raw.append([groups, order])
        progressed(len(some))
    observed = concatenate(parts)
    facts = {"one_by_one": variant.alone, "batch_difference": seen.largest_difference, "repeats": seen.repeat}
    return Outputs(
        decisions=observed.decisions,
        states=observed.states,
        raw=_joined(raw),
        finite=observed.finite,
        tied=observed.tied,
    ), facts


def _joined(raw: Sequence[Any]) -> dict[str, Any]:
    """Return the raw outputs by name, of those that are numbers; shorter ones are followed by zeros."""
    joined: dict[str, Any] = {}
    for name in raw[0][0][0][1]:
        rows = [
            row
            for groups, order in raw
            for row in _in_order([values for _, named in groups for values in named[name]], order)
        ]
        if rows[0].dtype.kind in "biuf" and len({row.ndim for row in rows}) == 1:
            shape = tuple(np.max([row.shape for row in rows], axis=0, initial=0).tolist()) if rows[0].ndim else ()
            whole = np.zeros((len(rows), *shape), dtype=rows[0].dtype)
            for place, row in enumerate(rows):
                corner: Any = (place, *(slice(size) for size in row.shape))
                whole[corner] = row
            joined[name] = whole
    return joined


def _in_order(values: Sequence[Any], order: Any) -> list[Any]:
    return [np.asarray(values[place]) for place in order]


def keep(file: Path, ran: Ran) -> None:
    """Write what a cell that ran came to, whole or not at all."""
    outputs = ran.outputs
    assert outputs is not None, "a failure may have more time, or room, by the next time"
    decisions, integers = outputs.decisions, isinstance(outputs.decisions, np.ndarray)
    listed = decisions.tolist() if isinstance(decisions, np.ndarray) else list(decisions)
    told = {"facts": dict(ran.facts), "seconds": ran.seconds, "decisions": listed, "integers": integers}
    arrays = {"finite": outputs.finite, "tied": outputs.tied}
    arrays |= {f"raw/{name}": values for name, values in outputs.raw.items()}
    if outputs.states is not None:
        arrays["states"] = outputs.states
    data = io.BytesIO()
    np.savez_compressed(data, told=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]
    write_whole(file, data.getvalue())


def kept(file: Path) -> Ran | None:
    """Return what was kept, or None where nothing was, or not whole."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            told = json.loads(str(archive["told"]))
            raw = {key.partition("/")[2]: archive[key] for key in archive.files if key.startswith("raw/")}
            outputs = Outputs(
                decisions=np.array(told["decisions"]) if told["integers"] else _hashable(told["decisions"]),
                states=archive["states"] if "states" in archive.files else None,
                raw=raw,
                finite=archive["finite"],
                tied=archive["tied"],
            )
            return Ran(outputs, facts=told["facts"], seconds=told["seconds"])
    except (OSError, ValueError, KeyError):
        return None


def _hashable(decisions: Sequence[Any]) -> list[Any]:
    """Return decisions as they were before JSON: lists are tuples again."""
    return [tuple(_hashable(one)) if isinstance(one, list) else one for one in decisions]


def _settings(component: Any) -> Any:
    return [f"{type(component).__module__}:{type(component).__qualname__}", unstructure(component)]
