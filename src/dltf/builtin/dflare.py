"""DFlare: Tian et al., "Finding deviated behaviors of the compressed DNN models", TOSEM 2023, sections 3.1 to 3.4.

The paper and the authors' release differ in ways that change the results, so each choice has both forms by name; what
was measured of the release is told in docs/explanation/dflare.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Briefing, Observations, Plans, Turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray, Stream


@frozen
class DFlare:
    """One mutant a turn from the base, the last accepted input; operators chosen by their success so far.

    `fitness` (section 3.3) compares the difference of the variants' top-1 probabilities with that of the base, and
    looks at novelty only where the two are within `tolerance`. `"paper"`: the larger difference wins; the state of
    every input is kept. `"released"`: any change beyond the tolerance wins, up or down; the base starts at difference
    0; only novel states are kept. A state is both variants' probability vectors; it is novel when the nearest kept one
    lies at a squared distance above `novelty`.

    `selection` (section 3.4) is Metropolis–Hastings over operators ranked by accepted ÷ tried: from the previous
    operator's rank a to rank b with probability min(1, (1 − p)^(b − a)), p = 1 ÷ number of operators. `"paper"`: the
    previous operator is that of the last turn. `"released"`: its rank counts as −1 always, once an input was accepted.

    Answers that are sentences are compared by their log-scores (section 6.1).

    The two ablations of section 5.3: `selection = "uniform"`, and `states = false`, which accepts only a larger
    difference (the release's own form of it could accept nothing at all).
    """

    needs_operators: ClassVar[bool] = True

    fitness: Literal["paper", "released"] = "paper"  # which mutant becomes the base
    selection: Literal["paper", "released", "uniform"] = "paper"  # which operator comes next
    states: bool = True  # whether new states count
    tolerance: float = field(default=1e-3, validator=validators.ge(0.0))  # between differences of probabilities
    novelty: float = field(default=0.5, validator=validators.ge(0.0))  # squared distance to the nearest kept state

    def start(self, briefing: Briefing) -> _Search:
        return _Search(self, len(briefing.operators), briefing.slots)


class _Search:
    """The state of all live cases, one row a slot."""

    def __init__(self, settings: DFlare, operators: int, slots: int) -> None:
        self._fitness = settings
        self._selection = _Selection(settings.selection, operators, slots)
        self._archive = _Archive(slots, keep_all=settings.fitness == "paper")
        self._best = np.zeros(slots)
        self._asked = np.zeros(slots, dtype=np.int64)

    def seat(self, slots: IntArray, reference: Observations, candidate: Observations, rows: IntArray) -> None:
        self._selection.forget(slots)
        self._archive.forget(slots)
        self._best[slots] = _difference(reference, candidate) if self._fitness.fitness == "paper" else 0.0

    def ask(self, slots: IntArray, streams: Sequence[Stream]) -> Plans:
        operators = self._selection.choose(slots, streams)
        self._asked[slots] = operators
        return Plans(operators, np.ones(len(slots)), np.zeros(len(slots), dtype=np.bool_))

    def tell(self, slots: IntArray, turn: Turn) -> BoolArray:
        difference = _difference(turn.reference, turn.candidate)
        accepted = self._accepts(slots, difference, turn)
        self._best[slots[accepted]] = difference[accepted]
        self._selection.learn(slots, self._asked[slots], accepted)
        return accepted

    def _accepts(self, slots: IntArray, difference: FloatArray, turn: Turn) -> BoolArray:
        best = self._best[slots]
        larger: BoolArray = difference > best
        vectors = _vectors(turn) if self._fitness.states else None
        if vectors is None:
            return larger
        novel = self._archive.novel(slots, vectors, self._fitness.novelty)
        near = np.abs(difference - best) <= self._fitness.tolerance
        beyond = larger if self._fitness.fitness == "paper" else np.isfinite(difference)
        return np.where(near, novel, beyond)


class _Selection:
    """Metropolis–Hastings selection, drawn directly: proposals are uniform, so P(rank) is the normalised acceptance."""

    def __init__(self, rule: str, operators: int, slots: int) -> None:
        self._rule = rule
        self._tried = np.zeros((slots, operators))
        self._accepted = np.zeros((slots, operators))
        self._previous = np.full(slots, -1, dtype=np.int64)

    def forget(self, slots: IntArray) -> None:
        self._tried[slots] = 0
        self._accepted[slots] = 0
        self._previous[slots] = -1

    def choose(self, slots: IntArray, streams: Sequence[Stream]) -> IntArray:
        count = self._tried.shape[1]
        draws = np.array([stream.random(count + 1) for stream in streams])
        if self._rule == "uniform":
            return (draws[:, -1] * count).astype(np.int64)
        success = self._accepted[slots] / (self._tried[slots] + 1e-7)
        order = np.lexsort((draws[:, :-1], -success), axis=-1)  # best first, equals shuffled
        cumulative = np.cumsum(self._acceptance(slots, order), axis=1)
        ranks = (draws[:, -1:] * cumulative[:, -1:] < cumulative).argmax(axis=1)
        return np.asarray(order[np.arange(len(slots)), ranks], dtype=np.int64)

    def learn(self, slots: IntArray, operators: IntArray, accepted: BoolArray) -> None:
        self._tried[slots, operators] += 1
        self._accepted[slots, operators] += accepted
        moved = slots if self._rule == "paper" else slots[accepted]
        self._previous[moved] = operators if self._rule == "paper" else operators[accepted]

    def _acceptance(self, slots: IntArray, order: IntArray) -> FloatArray:
        """Return min(1, (1 − p)^(rank − previous rank)) for every rank; 1 where there is no previous operator."""
        count = order.shape[1]
        previous = self._previous[slots]
        ranks = (order == previous[:, None]).argmax(axis=1)
        at = ranks if self._rule == "paper" else np.full_like(ranks, -1)
        powers = np.maximum(np.arange(count)[None, :] - at[:, None], 0)
        powers[previous < 0] = 0
        return np.asarray((1.0 - 1.0 / count) ** powers, dtype=np.float64)


class _Archive:
    """The states kept for each slot.

    Those that were new when they came are few, and most others lie near one of them: they are looked at first, all
    slots at once. Only what is far from all of them is compared with the rest, where the rest is kept.
    """

    def __init__(self, slots: int, *, keep_all: bool) -> None:
        self._new = _Vectors(slots)
        self._rest: dict[int, list[NDArray[np.float32]]] | None = {} if keep_all else None

    def forget(self, slots: IntArray) -> None:
        self._new.forget(slots)
        if self._rest is not None:
            for slot in slots.tolist():
                self._rest.pop(slot, None)

    def novel(self, slots: IntArray, vectors: NDArray[np.float32], threshold: float) -> BoolArray:
        """Tell which vectors are far from all kept ones of their slot, and keep them (or all)."""
        novel: BoolArray = self._new.nearest(slots, vectors) > threshold
        if self._rest is not None:
            for row, slot in enumerate(slots.tolist()):
                rest = self._rest.setdefault(slot, [])
                if novel[row] and rest:
                    apart = np.array(rest) - vectors[row]
                    novel[row] = (apart * apart).sum(axis=1).min() > threshold
                if not novel[row]:
                    rest.append(vectors[row])
        self._new.keep(slots[novel], vectors[novel])
        return novel


class _Vectors:
    """Vectors for each slot, padded to one length."""

    def __init__(self, slots: int) -> None:
        self._kept = np.zeros(slots, dtype=np.int64)
        self._vectors: NDArray[np.float32] = np.zeros((slots, 0, 0), dtype=np.float32)

    def forget(self, slots: IntArray) -> None:
        self._kept[slots] = 0

    def nearest(self, slots: IntArray, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the squared distance to the nearest kept vector of each slot, or infinity."""
        kept = self._kept[slots]
        longest = int(kept.max(initial=0))
        if not longest:
            return np.full(len(slots), np.inf, dtype=np.float32)
        apart = self._vectors[slots, :longest] - vectors[:, None, :]
        squared = (apart * apart).sum(axis=2)
        squared[np.arange(longest)[None, :] >= kept[:, None]] = np.inf
        return np.asarray(squared.min(axis=1))

    def keep(self, slots: IntArray, vectors: NDArray[np.float32]) -> None:
        if not len(slots):
            return
        self._make_room(int(self._kept[slots].max()) + 1, vectors.shape[1])
        self._vectors[slots, self._kept[slots]] = vectors
        self._kept[slots] += 1

    def _make_room(self, length: int, width: int) -> None:
        slots, room, old_width = self._vectors.shape
        if room >= length and old_width == width:
            return
        grown = np.zeros((slots, max(length, 2 * room, 16), width), dtype=np.float32)
        if old_width == width:
            grown[:, :room] = self._vectors
        self._vectors = grown


def _difference(reference: Observations, candidate: Observations) -> FloatArray:
    """Return |top-1 probability of the reference − of the candidate|; of sentences, the difference of log-scores.

    The probability of a sentence is a product over its frames, too small to be told from another (section 6.1).
    """
    ours, theirs = reference.log_scores, candidate.log_scores
    if len(ours) and isinstance(reference.decisions[0], str):
        return np.asarray(np.abs(ours - theirs))
    return np.asarray(np.abs(np.exp(ours) - np.exp(theirs)))


def _vectors(turn: Turn) -> NDArray[Any] | None:
    if turn.reference.states is None or turn.candidate.states is None:
        return None
    return np.concatenate([turn.reference.states, turn.candidate.states], axis=1)
