"""Stand-ins for what the host hands over: streams, observations, entry points."""

from __future__ import annotations

from importlib.metadata import Distribution, EntryPoint
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.host import GROUP
from dltf.values import Observations

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.values import Stream


def stream(seed: int = 0, case: int = 0) -> Stream:
    """Return the stream of one case, at its beginning."""
    return np.random.default_rng(np.random.SeedSequence((seed, case)))


def streams(n: int, seed: int = 0) -> list[Stream]:
    """Return the streams of cases 0 to n - 1, each at its beginning."""
    return [stream(seed, case) for case in range(n)]


def observations(
    decisions: Sequence[Hashable] | NDArray[Any],
    *,
    log_scores: Sequence[float] | NDArray[Any] | None = None,
    states: Sequence[Sequence[float]] | NDArray[Any] | None = None,
    tied: Sequence[bool] | NDArray[Any] | None = None,
    finite: Sequence[bool] | NDArray[Any] | None = None,
) -> Observations:
    """Return these n decisions as observations: certain, without states, untied, finite unless said."""
    n = len(decisions)
    return Observations(
        decisions=decisions if isinstance(decisions, np.ndarray) else list(decisions),
        log_scores=np.asarray(np.zeros(n) if log_scores is None else log_scores, dtype=np.float64),
        states=None if states is None else np.asarray(states, dtype=np.float32),
        tied=np.asarray(np.zeros(n) if tied is None else tied, dtype=np.bool_),
        finite=np.asarray(np.ones(n) if finite is None else finite, dtype=np.bool_),
    )


def class_observations(probabilities: Sequence[Sequence[float]] | NDArray[Any]) -> Observations:
    """Return what a classifier answered: probabilities [n, classes], all above 0; ties go to the lowest."""
    states = np.asarray(probabilities, dtype=np.float32)
    best = states.max(axis=1)
    return observations(
        states.argmax(axis=1),
        log_scores=np.log(best.astype(np.float64)),
        states=states,
        tied=(states == best[:, None]).sum(axis=1) > 1,
    )


def entry_point(name: str, module: str, dist: str = "", version: str = "1.0") -> EntryPoint:
    """Return an entry point for `Host([...])`, as if a distribution `dist` had it (by default the name)."""
    entry = EntryPoint(name=name, value=module, group=GROUP)
    vars(entry).update(dist=_Uninstalled(dist or name, version))
    return entry


class _Uninstalled(Distribution):
    """A distribution that has a name and a version, and no files."""

    def __init__(self, name: str, version: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"

    def read_text(self, filename: Any) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Path:
        raise FileNotFoundError(path)
