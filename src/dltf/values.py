"""The values that travel between the host and its plugins: frozen, printable, storable.

Shapes: `n` is the number of inputs in a batch, `d` the length of a state vector. Batches of observations and verdicts
are columns, not lists of objects, so that whoever reads them works on whole batches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from attrs import field, frozen

from dltf.errors import MisfitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sample: TypeAlias = NDArray[Any]
    Batch: TypeAlias = NDArray[Any]
    Draws: TypeAlias = Mapping[str, NDArray[Any]]
    BoolArray: TypeAlias = NDArray[np.bool_]
    IntArray: TypeAlias = NDArray[np.int64]
    FloatArray: TypeAlias = NDArray[np.float64]
    Stream: TypeAlias = np.random.Generator


# --- models ------------------------------------------------------------------------------------------------------


@frozen
class Quantisation:
    """How integers stand for real numbers: `real = (integer - zero_point) * scale`, one pair for the whole tensor."""

    scale: float
    zero_point: int


@frozen
class TensorSpec:
    """What a model says of one input or output: `None` in the shape is a size left open (the batch, a length)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str  # as numpy writes it: "float32", "uint8", …
    quantisation: Quantisation | None = None

    def __str__(self) -> str:
        sizes = "×".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.dtype}[{sizes}]"


def only_input(specs: Sequence[TensorSpec]) -> TensorSpec:
    """Return the one input that samples go into, for a domain that prepares one; raise `MisfitError` otherwise."""
    if len(specs) == 1:
        return specs[0]
    if not specs:
        raise MisfitError("each input of the model is fed: none is left for the samples", hint="see [models.*.feed]")
    raise MisfitError(
        f"the model has {len(specs)} inputs ({', '.join(map(str, specs))}), and the samples go into one of them",
        hint=f"say in [models.*.feed] what the others get, for example: {specs[-1].name} = 0.0",
    )


@frozen
class Target:
    """Where and how a backend can run a model; `why_not` is empty where it is usable on this machine."""

    name: str
    summary: str
    why_not: str = ""

    @property
    def usable(self) -> bool:
        return not self.why_not


@frozen
class Suggestion:
    """One way to prepare samples for a model: settings, and for each key that nobody set where its value is from."""

    settings: Any
    because: Mapping[str, str] = field(factory=dict)  # key → "read from the shape", "guessed: …"

    @property
    def guesses(self) -> tuple[str, ...]:
        """The keys that no file could tell."""
        return tuple(key for key, why in self.because.items() if why.startswith("guessed"))


# --- inputs ------------------------------------------------------------------------------------------------------

NATIVE = "sample"
"""The name under which a runner that lists no inputs is handed samples as they are."""


@frozen(eq=False)
class Seed:
    """One labelled input of a seed source, in its native form.

    `columns` is what else its source says of it (a camera, a site, a length), by name: results are sliced by it, and a
    model's further inputs can be taken from it.
    """

    sample: Sample
    name: str
    label: Hashable | None = None  # comparable with a decoder's decisions, or None where there is none
    columns: Mapping[str, str | float | bool] = field(factory=dict)


def digest_of(sample: Sample) -> str:
    """Return the sha256, in hexadecimal, of `dtype.str`, `str(shape)` and the values in C order: who a sample is."""
    return hashlib.sha256(f"{sample.dtype.str}{sample.shape}".encode() + sample.tobytes()).hexdigest()


def digest_of_set(samples: Iterable[Sample], labels: Iterable[Hashable | None]) -> str:
    """Return the sha256 of a line for each sample, sorted: its `digest_of`, a space, and its label as JSON."""
    pairs = zip(samples, labels, strict=True)
    lines = sorted(f"{digest_of(sample)} {json.dumps(label)}\n" for sample, label in pairs)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# --- what was seen -----------------------------------------------------------------------------------------------


class Scorer(Protocol):
    """What a variant says, on the n inputs of a batch, of decisions that need not be its own."""

    def score(self, decisions: Sequence[Hashable] | NDArray[Any]) -> FloatArray:
        """Return float64 [n], the natural logarithm of the variant's score for decision i on input i."""

    def take(self, rows: IntArray | Sequence[int]) -> Scorer: ...


@frozen(eq=False)
class Observations:
    """What one variant answered on a batch of n inputs, in columns.

    `decisions`: n hashable answers (an integer array of labels, a list of sentences, …), each a string, a number, a
    boolean, or a tuple of such: what a store gives back as it was. `log_scores`: float64 [n], the
    natural logarithm of the variant's own score for its decision. `states`: float32 [n, d], or None where a decoder has
    none. `tied`: bool [n], another decision had exactly the same score. `finite`: bool [n], no output was NaN or
    infinite. `scorer` scores any decision, where the decoder can: for margins, severity and search.
    """

    decisions: list[Hashable] | NDArray[Any]
    log_scores: FloatArray
    states: NDArray[np.float32] | None
    tied: BoolArray
    finite: BoolArray
    scorer: Scorer | None = None

    def __len__(self) -> int:
        return len(self.log_scores)

    def score(self, decisions: Sequence[Hashable] | NDArray[Any]) -> FloatArray | None:
        """Return the log-score of decision i on input i, float64 [n], or None where the decoder has no such thing."""
        return None if self.scorer is None else self.scorer.score(decisions)

    def take(self, rows: IntArray | Sequence[int]) -> Observations:
        """Return the observations of these rows, in this order."""
        decisions = self.decisions
        return Observations(
            decisions=[decisions[row] for row in rows] if isinstance(decisions, list) else decisions[rows],
            log_scores=self.log_scores[rows],
            states=None if self.states is None else self.states[rows],
            tied=self.tied[rows],
            finite=self.finite[rows],
            scorer=None if self.scorer is None else self.scorer.take(rows),
        )


@frozen(eq=False)
class Verdicts:
    """An oracle's judgement of n pairs of observations.

    `deviates`: bool [n]. `distances`: float64 [n], how far apart the answers are in the oracle's own terms (0 where
    they agree). `tied`: bool [n], the judgement leaned on how a tie was broken.
    """

    deviates: BoolArray
    distances: FloatArray
    tied: BoolArray

    def __len__(self) -> int:
        return len(self.deviates)


# --- search ------------------------------------------------------------------------------------------------------


class Neighbours(Protocol):
    """Finds the seeds near one that are answered differently, in the domain's own space."""

    def nearest(self, row: int) -> tuple[IntArray, FloatArray]:
        """Return rows of the screened seeds to which a path can lead, the nearest first, and their distances."""


@frozen(eq=False)
class ScreenedSeeds:
    """The m seeds on which both variants agreed when they were screened: a path may lead from one to another.

    `cases`: int64 [m]. `reference` and `candidate`: what the variants answered, m rows, with scorers where decoders
    can score from states.
    """

    cases: IntArray
    reference: Observations
    candidate: Observations
    neighbours: Neighbours

    def __len__(self) -> int:
        return len(self.cases)


@frozen(eq=False)
class Briefing:
    """What a strategy is told before a campaign.

    `operators`: their names. `slots`: how many cases are alive at once. `screened`: where paths may lead, or None where
    the domain has no samples between two others.
    """

    operators: tuple[str, ...]
    slots: int
    screened: ScreenedSeeds | None = None


@frozen(eq=False)
class Plans:
    """One plan for each of n live cases: an operator on the case's base or seed, with a strength; or a point of a path.

    `operators`: int64 [n], an index into `Briefing.operators`, or −1 for a path from the seed to another seed.
    `strengths`: float64 [n] in [0, 1], on a path its t. `from_seed`: bool [n], True on a path. `keeps`: bool [n], the
    operator acts with the draw of the case's last plan, so that its strength alone changes (None: all draw anew).
    `partners`: int64 [n], the row of the screened seed that a path leads to, −1 where there is none (None: there is no
    path). A case without an operator and a partner is over: there is nothing left to try.
    """

    operators: IntArray
    strengths: FloatArray
    from_seed: BoolArray
    keeps: BoolArray | None = None
    partners: IntArray | None = None


@frozen(eq=False)
class Turn:
    """What came of n plans: both variants' observations of the mutants, and the verdicts."""

    reference: Observations
    candidate: Observations
    verdicts: Verdicts


# --- repair ------------------------------------------------------------------------------------------------------


@frozen
class Shipping:
    """What a repair head is to export: a candidate's file and the head's own, read and decided as in a run."""

    candidate: Path
    head: Path
    threshold: float  # the advantage from which on the head takes the word
    output: TensorSpec  # of the candidate, which the head reads
    scores: Literal["probabilities", "logits"]
    label_offset: int = 0  # so many leading values are no classes
    weights: Literal["float", "int8"] = "float"  # of the head


@frozen
class Shipped:
    """What was exported, by names in the folder that was asked for.

    Without a `runner` the `file` is a model for the candidate's own runtime, with the same inputs, whose output of the
    same name is repaired: probabilities, after as many values that are no classes. With one, the runner is a Python
    script that needs no dltf, for a model of one input: `python RUNNER INPUTS.npy LABELS.npy` reads what the candidate
    is given, [n, …], and writes labels [n]; as a module it has `Repaired()`, which is called with these inputs and
    returns scores [n, classes].
    """

    file: str
    head_bytes: int  # what the head adds
    runner: str = ""
    notes: tuple[str, ...] = ()


# --- results -----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Answer:
    """What one variant answered on one input: for the store and for people."""

    decision: Hashable
    log_score: float
    state: NDArray[np.float32] | None = None


@frozen(eq=False)
class Finding:
    """An input on which the variants differ, confirmed alone after a round trip through its file form.

    A variant's margin is the log-odds by which it prefers its own answer to the other's, in nats; the severity is the
    smaller of the two. `grade` orders findings by how much they matter: `dltf.campaign.severity` says how.
    """

    case: int  # the seed's position in its source
    seed_name: str
    seed_label: Hashable | None
    phase: str  # "screen" (the seed itself: a natural finding), "search"; "shrink", "amplify" for what became of it
    kind: str  # "deviation"; "nonfinite": an output was NaN or infinite; "crash": a runtime failed on it
    queries: int  # that the phase spent on the case, this one included; 0 for a natural finding
    reference: Answer | None  # None where a runtime failed
    candidate: Answer | None
    tied: bool
    chain: tuple[str, ...]  # the operators that made it, in order
    last_draw: Mapping[str, Any]  # the small numbers that the last operator drew
    distances: Mapping[str, float]  # to the seed, by the domain's names
    sample: bytes = field(repr=False)  # the input in its file form
    seed: bytes = field(repr=False)
    suffix: str = ""  # of the file form: ".png"
    message: str = ""  # what the runtime said, where it failed
    reference_margin: float | None = None  # None where the decoder scores no other answers
    candidate_margin: float | None = None
    grade: str = "unscored"
    region: str = ""  # where the input differs from its seed, in the domain's words
    columns: Mapping[str, Any] = field(factory=dict)  # of the seed

    @property
    def severity(self) -> float | None:
        """The smaller margin: near 0 for a coin toss, large for a confident contradiction."""
        if self.reference_margin is None or self.candidate_margin is None:
            return None
        return min(self.reference_margin, self.candidate_margin)


@frozen
class CampaignStarted:
    """What a campaign sets out to do."""

    name: str
    seeds: int
    strategy: str
    resumed: bool
    folder: str


@frozen
class CampaignProgress:
    """Where a campaign stands: `done` of `total` cases of this phase; rates are since the phase began.

    To shrink and to amplify, the cases are those of findings.
    """

    phase: str  # "screen", "search", "shrink" or "amplify"
    done: int
    total: int
    findings: int
    queries_per_s: float
    left_s: float | None
