"""Tests tried: decoded, shown to what is under test and to judges, and checked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from dltf.feature.answers import Asked, Outcome, see
from dltf.feature.targets import error_margins
from dltf.feature.validity import Tests, valid

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace
    from dltf.feature.answers import Tested
    from dltf.feature.validity import Validator
    from dltf.feed import Columns
    from dltf.values import Batch, BoolArray, FloatArray, IntArray
    from dltf.variant import Variant


@frozen(eq=False)
class SeedSet:
    """n seeds of one shape, in columns; codes are [n, k]."""

    cases: IntArray
    names: list[str]
    labels: list[Hashable]
    columns: list[Columns]
    samples: Batch
    codes: FloatArray

    def __len__(self) -> int:
        return len(self.cases)

    def take(self, rows: IntArray | Sequence[int]) -> SeedSet:
        return SeedSet(
            self.cases[rows],
            [self.names[row] for row in rows],
            [self.labels[row] for row in rows],
            [self.columns[row] for row in rows],
            self.samples[rows],
            self.codes[rows],
        )


@frozen(eq=False)
class Tried:
    """m tests and what came of them. `sure`: the least log-odds of the label by the check judges, float64 [m]."""

    codes: FloatArray
    seeds: IntArray  # rows of the seed set
    partners: IntArray
    samples: Batch
    outcome: Outcome
    checks: Mapping[str, BoolArray]
    sure: FloatArray
    judged: Mapping[str, list[Hashable | None]]  # by measuring judge: its answers
    kept: Mapping[str, BoolArray]  # by measuring judge: whether it answers the label

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def valid(self) -> BoolArray:
        return valid(self.checks, len(self))

    @property
    def label_kept(self) -> BoolArray | None:
        """Where all measuring judges confirm the label; None where there are none."""
        return np.logical_and.reduce(list(self.kept.values())) if self.kept else None

    @property
    def confirmed(self) -> BoolArray | None:
        """The failures that passed every check, and whose label all measuring judges confirm."""
        kept = self.label_kept
        return None if kept is None else np.asarray(kept & self.valid & self.outcome.failing)

    def take(self, rows: IntArray) -> Tried:
        return Tried(
            codes=self.codes[rows],
            seeds=self.seeds[rows],
            partners=self.partners[rows],
            samples=self.samples[rows],
            outcome=self.outcome.take(rows),
            checks={name: passes[rows] for name, passes in self.checks.items()},
            sure=self.sure[rows],
            judged={name: [answers[row] for row in rows] for name, answers in self.judged.items()},
            kept={name: passes[rows] for name, passes in self.kept.items()},
        )


@frozen(eq=False)
class Bench:
    """Everything that tests of a seed set are tried with."""

    space: LatentSpace
    tested: Tested
    check: Mapping[str, Variant]
    measure: Mapping[str, Variant]
    validator: Validator
    seeds: SeedSet

    def asked(self, samples: Batch, seeds: IntArray) -> Asked:
        """Return samples as they are asked about, with what their seeds say."""
        known = self.seeds
        return Asked(samples, [known.labels[row] for row in seeds], [known.columns[row] for row in seeds])

    def try_out(self, codes: FloatArray, seeds: IntArray, partners: IntArray | None = None) -> Tried:
        """Decode tests, show them to what is under test and to check judges, and make every check but `distinct`."""
        samples = self.space.decode(codes)
        asked = self.asked(samples, seeds)
        kept, sure = keeps(self.check, asked, self.tested)
        return Tried(
            codes=codes,
            seeds=seeds,
            partners=np.full(len(codes), -1) if partners is None else partners,
            samples=samples,
            outcome=self.tested.ask(asked),
            checks=self.validator.check(self._tests(codes, samples, seeds), kept, sure),
            sure=sure,
            judged={},
            kept={},
        )

    def measured(self, tried: Tried) -> Tried:
        """Add the check `distinct` and what the measuring judges say."""
        checks = dict(tried.checks)
        if self.validator.table.distinct:
            checks["distinct"] = self.validator.distinct(self._tests(tried.codes, tried.samples, tried.seeds))
        asked = self.asked(tried.samples, tried.seeds)
        seen = {name: see(judge, asked, self.tested.batch) for name, judge in self.measure.items()}
        return evolve(
            tried,
            checks=checks,
            judged={name: one.decisions for name, one in seen.items()},
            kept={name: one.keeps(asked.labels) for name, one in seen.items()},
        )

    def _tests(self, codes: FloatArray, samples: Batch, seeds: IntArray) -> Tests:
        known = self.seeds
        return Tests(
            codes=codes,
            samples=samples,
            seeds=seeds,
            seed_codes=known.codes[seeds][:, self.space.active],
            seed_samples=known.samples[seeds],
            labels=[known.labels[row] for row in seeds],
        )


def keeps(judges: Mapping[str, Variant], asked: Asked, tested: Tested) -> tuple[BoolArray | None, FloatArray]:
    """Return where all judges keep the label (None without judges), and the least log-odds that one gives it."""
    sure = np.full(len(asked), np.inf)
    if not judges:
        return None, sure
    kept = np.ones(len(asked), dtype=np.bool_)
    for judge in judges.values():
        seen = see(judge, asked, tested.batch, tested.classes)
        mine = seen.keeps(asked.labels)
        kept &= mine
        margins = -error_margins(seen.scores, tested.places(asked.labels), mine)
        sure = np.minimum(sure, np.where(np.isfinite(margins), margins, -np.inf))
    return kept, sure


def joined(parts: Sequence[Tried]) -> Tried:
    """Return parts as one, in the order of seeds, and of one seed in the order in which they were tried."""
    first = parts[0]
    outcomes = [part.outcome for part in parts]
    whole = Tried(
        codes=np.concatenate([part.codes for part in parts]),
        seeds=np.concatenate([part.seeds for part in parts]),
        partners=np.concatenate([part.partners for part in parts]),
        samples=np.concatenate([part.samples for part in parts]),
        outcome=Outcome(
            np.concatenate([one.kinds for one in outcomes]),
            [decision for one in outcomes for decision in one.candidate],
            None if outcomes[0].reference is None else [answer for one in outcomes for answer in one.reference or []],
            np.concatenate([one.right for one in outcomes]),
            np.concatenate([one.targets for one in outcomes]),
            np.concatenate([one.scores for one in outcomes]),
        ),
        checks={name: np.concatenate([part.checks[name] for part in parts]) for name in first.checks},
        sure=np.concatenate([part.sure for part in parts]),
        judged={name: [answer for part in parts for answer in part.judged[name]] for name in first.judged},
        kept={name: np.concatenate([part.kept[name] for part in parts]) for name in first.kept},
    )
    return whole.take(np.argsort(whole.seeds, kind="stable"))
