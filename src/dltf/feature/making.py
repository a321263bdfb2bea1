"""One method after the other: drawn, tried, measured and kept."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from dltf import __version__
from dltf.feature.guides import Guides
from dltf.feature.keep import PACK, TESTS, Kept, Pack, columns_of
from dltf.feature.methods import Around, Drawn, ball, bridge, moves_of, posterior, sphere, stream_of
from dltf.feature.partners import Partners
from dltf.feature.search import Start, search
from dltf.feature.told import Moves, told_figures, told_method
from dltf.feature.trials import Bench, Tried, joined
from dltf.feature.validity import Validator
from dltf.profile.structure import unstructure

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace
    from dltf.feature.ground import Ground
    from dltf.feature.models import Models
    from dltf.feature.samples import Told
    from dltf.feature.screening import Passed
    from dltf.feature.validity import Bounds
    from dltf.profile.feature import FeatureProfile
    from dltf.values import FloatArray

_AT_ONCE = 4096  # tests in memory as pictures
_LOCKSTEP = 256  # seeds that are searched at once


class Making:
    """The methods of one run, on seeds that passed the screen."""

    def __init__(
        self,
        profile: FeatureProfile,
        space: LatentSpace,
        ground: Ground,
        models: Models,
        passed: Passed,
        bounds: Bounds,
    ) -> None:
        self.profile, self.space, self.ground = profile, space, ground
        self.models, self.passed, self.bounds = models, passed, bounds

    def made(self, method: str, folder: Path, told: Told) -> dict[str, Any]:
        """Return what is told of a method ("told") and its part of the manifest ("pack"): as kept, or made now."""
        kept = Kept(folder / TESTS, method, self._key(method))
        pack = Pack(folder / PACK, self.profile.domain.codec)
        known = kept.read()
        if known is not None and pack.has(known["pack"]):
            return known
        began = time.perf_counter()
        bench, moved = self._bench(), Moves()
        parts: list[Tried] = []
        manifest: list[dict[str, Any]] = []
        for rows in self._chunks(method):
            told(f"generating by {method}", rows.start, len(bench.seeds))
            tried = self._tried(method, bench, rows)
            if tried is None:
                continue
            moved.look(self.profile.domain.geometry, bench.seeds, tried)
            keep = tried.outcome.failing if self.profile.generate.keep == "failures" else np.ones(len(tried), np.bool_)
            manifest += pack.add(method, bench.seeds, self.passed.reconstructions, tried, keep)
            parts.append(attrs.evolve(tried, samples=np.zeros((len(tried), 0))))
        told(f"generating by {method}", len(bench.seeds), len(bench.seeds))
        if not parts:
            kept.remove()
            return {"told": {"accepted": len(bench.seeds), "tests": 0, "seeds_with_tests": 0}, "pack": []}
        whole = joined(parts)
        moves = moves_of(Drawn(whole.codes, whole.seeds, whole.partners), self._around(method))
        says = self._says(whole, moves, time.perf_counter() - began)
        says["moves"] |= moved.told()
        kept.write(columns_of(whole, bench.seeds, moves, self.passed.radii), says, manifest)
        return {"told": says, "pack": manifest}

    def _says(self, whole: Tried, moves: FloatArray, seconds: float) -> dict[str, Any]:
        seeds, active = self.passed.seeds, self.space.active
        told = told_figures(whole, len(seeds), self.profile.campaign.seed, seconds)
        return told | told_method(whole, seeds, moves, self.passed.radii, self.ground, active)

    def _tried(self, method: str, bench: Bench, rows: slice) -> Tried | None:
        around, tests = self._around(method, rows), self.profile.generate.tests
        if method == "search":
            return bench.measured(search(bench, around, tests, self._start(around, rows), rows.start))
        drawn = self._drawn(method, around, rows, tests)
        if not len(drawn.codes):
            return None
        return bench.measured(bench.try_out(drawn.codes, drawn.seeds + rows.start, drawn.partners))

    def _start(self, around: Around, rows: slice) -> Start:
        towards, far = self._guides.of(around.codes, self.passed.seeds.labels[rows])
        least = 0.0 if self.bounds.sure is None else self.bounds.sure
        return Start(towards, far, self.passed.outcome.take(rows), self.passed.sure[rows], least)

    def _drawn(self, method: str, around: Around, rows: slice, tests: int) -> Drawn:
        if method == "ball":
            return ball(around, tests, self.profile.generate.ladder)
        if method == "sphere":
            return sphere(around, tests)
        seeds, radii = self.passed.seeds, self.passed.radii
        if method == "posterior":
            space: Any = self.space
            return posterior(around, tests, np.asarray(space.spread(seeds.samples[rows]), dtype=np.float64))
        places = range(len(seeds))[rows]
        return bridge(
            around,
            tests,
            lambda row: self._partners.of(around.codes[row], radii[places[row]], seeds.labels[places[row]]),
        )

    def _around(self, method: str, rows: slice = slice(None)) -> Around:
        seeds = self.passed.seeds
        return Around(
            codes=seeds.codes[rows],
            radii=self.profile.generate.reach * self.passed.radii[rows],
            active=self.space.active,
            norm=self.profile.generate.norm,
            streams=[stream_of(self.profile.campaign.seed, int(case), method) for case in seeds.cases[rows]],
        )

    def _bench(self) -> Bench:
        samples = self.passed.seeds.samples
        span = self.space.facts.get("range") or _span_of(samples)
        validator = Validator(
            table=self.profile.validity,
            space=self.space,
            reference=self.ground.near,
            bounds=self.bounds,
            span=(float(span[0]), float(span[1])),
            geometry=self.profile.domain.geometry,
        )
        return Bench(
            self.space, self.models.tested, self.models.check, self.models.measure, validator, self.passed.seeds
        )

    def _chunks(self, method: str) -> Iterator[slice]:
        count = len(self.passed.seeds)
        size = _LOCKSTEP if method == "search" else max(1, _AT_ONCE // self.profile.generate.tests)
        for first in range(0, count, size):
            yield slice(first, min(first + size, count))

    @cached_property
    def _partners(self) -> Partners:
        known = self.ground.reference
        return Partners(
            known.codes, known.labels, self.ground.reference_radii, self.space.active, self.profile.generate.norm
        )

    @cached_property
    def _guides(self) -> Guides:
        return Guides(self.ground.near, self.models.tested.classes, self.space.active)

    def _key(self, method: str) -> str:
        """Return what a method's tests depend on, as a hash."""
        profile = self.profile
        told = {
            "dltf": __version__,
            "method": method,
            "generate": {key: value for key, value in unstructure(profile.generate).items() if key not in ("methods",)},
            "tables": {key: value for key, value in profile.tables.items() if key not in ("generate", "gate")},
            "validity": unstructure(profile.validity),
            "seed": profile.campaign.seed,
            "models": {role: facts.get("sha256") for role, facts in self.models.facts.items()},
            "generator": [dict(self.space.facts), dict(profile.generator.versions())],
            "data": dict(self.ground.digests),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _span_of(samples: Any) -> tuple[float, float]:
    """Return what values there can be, where the generator does not say: those of the type, or of the seeds."""
    if samples.dtype.kind in "iu":
        limits = np.iinfo(samples.dtype)
        return float(limits.min), float(limits.max)
    return float(samples.min()), float(samples.max())
