"""What a loaded component does: Protocols, each small enough to hold in the palm.

Every component's target is a frozen attrs class. Its fields are its settings (the keys of its TOML table), checked by
attrs validators once, when the profile is read; every field has a default, or the profile has to give it. Nothing
here is inherited: an object that has these methods fits.

A *sample* is one input in its native form, a numpy array: a picture is uint8 [height, width, channels], a clip is PCM
[length]. A *batch* is samples of one shape and dtype, stacked: [n, *sample]. The host groups by shape before it calls
an operator. The names of a domain's seed sources, operators and presets begin with the domain's own: `image.blur`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dltf.values import (
        Batch,
        BoolArray,
        Briefing,
        Draws,
        FloatArray,
        IntArray,
        Observations,
        Plans,
        Sample,
        Scorer,
        Seed,
        Shipped,
        Shipping,
        Stream,
        Suggestion,
        Target,
        TensorSpec,
        Turn,
        Verdicts,
    )


# --- domains -----------------------------------------------------------------------------------------------------


class Codec(Protocol):
    """Sample ↔ the bytes of a file that people can open; a round trip gives the same sample, bit for bit."""

    suffix: str  # with its dot

    def encode(self, sample: Sample) -> bytes: ...

    def decode(self, data: bytes) -> Sample:
        """Raise `SeedError` where the bytes are no such file."""


class Preprocess(Protocol):
    """One variant's own preparation of samples, bound to the model inputs that samples go into.

    `settings` is the input table with every default filled in, for the record.
    """

    settings: Mapping[str, Any]

    def __call__(self, samples: Sequence[Sample]) -> Iterable[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        """Yield groups: the rows (int64 [k]) of `samples`, and a tensor [k, …] for each input by its name.

        A tensor for an integer input holds real numbers where the model declares a quantisation (the host applies
        it), else what the model takes. How one sample is prepared never depends on the others.
        Raise `MisfitError` with both shapes where a sample does not fit.
        """


class Tensors(Protocol):
    """Samples → model tensors, under the settings of `[models.*.input]`."""

    settings: type  # the attrs class of that table

    def bind(self, specs: Sequence[TensorSpec], settings: Any) -> Preprocess:
        """Return the preparation for these inputs, all that `[models.*.feed]` leaves; raise `MisfitError` otherwise.

        An input that is none of this domain's is a misfit, and so is one too many.
        """


class Suggests(Protocol):
    """What `Tensors` may offer beside: settings for a model that comes without a profile (`dltf compare`).

    A `Decoder` may offer the same by `suggest(specs)`, with decoders as the settings.
    """

    def suggest(self, specs: Sequence[TensorSpec], settings: Any, samples: Sequence[Sample]) -> Sequence[Suggestion]:
        """Return ways to fill in what is unset, the likeliest first; one alone where files and samples tell all."""


class Geometry(Protocol):
    """How far apart two samples are."""

    units: Mapping[str, str]  # the unit of each distance, by its name; the first is the one that summaries lead with

    def distances(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> Mapping[str, FloatArray]:
        """Return finite float64 [n] by name; a sample is at distance 0 from itself, a similarity is at its most."""


class Regions(Protocol):
    """What a `Geometry` may offer beside: where two samples differ, in words, so that findings can be clustered."""

    def regions(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> Sequence[str]:
        """Return one name for each pair ("top left"), empty where they are equal."""


class Interpolates(Protocol):
    """What a `Geometry` may offer beside: the samples between two others, for searches along paths.

    Seeds are of one shape and partners of one shape: of the same, unless the geometry has `across_shapes = True`.
    """

    def interpolate(self, seeds: Batch, partners: Batch, t: FloatArray) -> Batch | Sequence[Sample]:
        """Return row i at t[i] in [0, 1] of the way from seed to partner, of their dtype; 0 is the seed, 1 the partner.

        Where both are of one shape, so is all between them. Across shapes a list may be returned.
        """


class Embeds(Protocol):
    """What a `Geometry` may offer beside: vectors whose distances stand for those of samples, to find neighbours.

    With `across_shapes = True` it has to: samples of any two shapes are then compared by their vectors.
    """

    def embed(self, samples: Batch) -> NDArray[Any]:
        """Return [n, d], uint8 or float32, d some thousands at most."""


class Refines(Protocol):
    """What a `Geometry` may offer beside: changes as real numbers, so that findings can be shrunk and amplified.

    A *change* is what is added to a sample: float64 of its shape. All of this is of one shape. Where a finding may
    differ in shape from its seed, `fitted(seed, shape)` returns the seed in another shape; without it, such findings
    stay as they are.
    """

    def rounded(self, values: FloatArray, rounding: FloatArray | float) -> Batch:
        """Return the samples that stand for these real numbers [n, …], each within what a sample can hold.

        `rounding`, in [0, 1] and of the shape of `values` or one number, is added before the fraction is cut off: at
        0.5 it is the nearest sample. A sample comes back as it is; where samples are real numbers, it has no effect.
        """

    def size(self, changes: FloatArray) -> FloatArray:
        """Return float64 [n], how large changes [n, …] are, as the first of the distances has it."""

    def parts(self, shape: tuple[int, ...], shifted: bool) -> IntArray:
        """Return the part that each value belongs to, int64 of this shape: 0, 1, … (31 parts at most).

        What lies together belongs together; with `shifted` the borders are elsewhere.
        """


class Disturbs(Protocol):
    """What a `Geometry` that refines may offer beside, so that findings can be amplified."""

    def patch(self, shape: tuple[int, ...], stream: Stream) -> FloatArray:
        """Draw a random change of a small part of a sample, of a size that is to be tried first; 0 elsewhere."""


class Preview(Protocol):
    """A seed and a mutant side by side, for people."""

    suffix: str

    def render(self, seed: Sample, mutant: Sample) -> bytes: ...


class ShowsBeside(Protocol):
    """What a `Preview` may offer beside: what one picture cannot show, a sound to be played, say."""

    def beside(self, seed: Sample, mutant: Sample) -> Sequence[tuple[str, str, bytes]]:
        """Return further files: a title, the suffix, the bytes."""


class Domain(Protocol):
    """A kind of input. Its settings, where it has any, come from the table `[domain]`.

    A setting of the domain (the sampling rate of all clips, say) is the default of the setting of that name in the
    campaign's seed source, operators, presets and backends.
    """

    codec: Codec
    tensors: Tensors
    geometry: Geometry
    preview: Preview
    # A domain may have `preset: ClassVar[str]`, too: the operators of a comparison that names none.


class Seeds(Protocol):
    """An opened source: labelled samples, each read when it is asked for. `source` says where they come from."""

    source: Mapping[str, Any]  # for the record: paths, checksums, licence where the source states one

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Seed:
        """Raise `SeedError` where this one cannot be read."""


class SeedSource(Protocol):
    """Where seeds come from. Relative paths in its fields are `pathlib.Path`; the profile resolves them.

    A source of files may have `reads: ClassVar[tuple[str, ...]]`: the suffixes that its field `path` takes (".npz"), or
    "/" for a folder. `dltf compare --seeds PATH` then finds it.
    """

    def open(self) -> Seeds:
        """Raise `SeedSourceError` where there is nothing to read."""


class MutationOperator(Protocol):
    """A change to an input: first draw what is random, then act.

    Row i of a draw depends on sample i and on stream i alone, so that no batch size, order or neighbour matters.
    An operator whose mutants may differ in shape from their samples has `keeps_shape: ClassVar[bool] = False`.
    """

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        """Return the random numbers, by name, each array with one row for each sample."""

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch | Sequence[Sample]:
        """Return new samples of the same dtype; strength 0 is the identity, 1 the draw's full effect.

        They are stacked where they keep their shape, else a list.
        """


class Amounts(Protocol):
    """What a `MutationOperator` may offer beside: its effect in its own unit, for people (`dltf gap --operators`)."""

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return float64 [n], how much these draws do at these strengths, and the unit ("px", "°", …)."""


class OperatorPreset(Protocol):
    """A named set of operators."""

    def operators(self) -> Mapping[str, MutationOperator]: ...


# --- variants ----------------------------------------------------------------------------------------------------


class Runner(AbstractContextManager["Runner"], Protocol):
    """An opened model; closed by leaving its block. It is called from one thread at a time.

    A runner that lists no inputs takes samples as they are, with no preparation: `run` is given a batch of one shape
    by the name `dltf.values.NATIVE`, and may raise `MisfitError` for samples that it does not take. Its outputs need
    not be listed, either: what it returns tells.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    notes: tuple[str, ...]  # what a reader of the results has to know: "the model refuses batches: one by one"

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Map a batch [n, …] to the raw outputs [n, …], both by tensor name and in the model's own dtypes."""


class ModelBackend(Protocol):
    """A runtime. Its fields are its settings in `[models.*]`, beside `file` and `target`.

    Three class variables have defaults: `needs_file` (True; where it is False, `open` is given an empty path),
    `takes_folders` (False; where it is True, `file` may name a folder, and `files` says what is in it that counts) and
    `seeds_only` (False; where it is True, the model answers nothing but seeds and cannot be searched).
    """

    suffixes: ClassVar[tuple[str, ...]]  # of the files that are its own: (".onnx",); it is found by them, or by name

    def targets(self) -> Sequence[Target]:
        """List every target, each usable here or with the reason why not; the first is the default."""

    def open(self, file: Path, target: str) -> Runner:
        """Raise `ModelFileError` for a file that cannot be read, `TargetUnavailableError` for a target not here."""

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the packages that run the model, by distribution name."""


class ManyFiles(Protocol):
    """What a `ModelBackend` may offer beside, where a model is more than one file."""

    def files(self, file: Path) -> Sequence[Path]:
        """Return every file that the model is made of, this one first, for its hash; missing ones are left out."""


class Calibration(Protocol):
    """The seeds as a model is given them, for a converter: a fresh iterator at each call."""

    def __call__(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        """Yield model inputs by name, one sample each [1, …], in the model's own dtypes."""


class Converter(Protocol):
    """A model file in, a model file out: another format, or fewer bits. Equal inputs give equal files.

    It runs in a process of its own, within a time limit.
    """

    reads: ClassVar[tuple[str, ...]]  # suffixes of the files that it takes: (".onnx",)
    writes: ClassVar[str]  # the suffix of the file that it makes
    needs_seeds: ClassVar[bool]  # whether it is given a calibration

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        """Write `out`, and beside it only files whose names begin with its stem; return facts for the record.

        Raise `ConversionError` where it cannot, for an operator that is not supported, say.
        """

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the packages that convert, by distribution name."""


class Decoder(Protocol):
    """Raw outputs → observations. Its fields come from the table `[models.*.output]`."""

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Decoder:
        """Return a decoder with every "auto" decided, from the specs and the real-valued outputs on the first seeds.

        Where seeds differ in shape, `outputs` are those of the shape that most of them have.
        Raise `MisfitError` where these outputs are none of this decoder's.
        """

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Map real-valued outputs [n, …] (quantised ones already turned back) to n observations, row by row."""


class Rescores(Protocol):
    """What a `Decoder` may offer beside: scores of any decision from states, as they come back from a store."""

    def scorer_of(self, states: NDArray[Any]) -> Scorer: ...


class Oracle(Protocol):
    """Whether two answers to one input differ. Two equal answers never do."""

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts: ...


class JudgesByLabels(Protocol):
    """An `Oracle` that looks at the truth, too: the labels of the seeds that the inputs were made of, None without."""

    needs_labels: ClassVar[bool]  # True

    def judge(
        self, reference: Observations, candidate: Observations, labels: Sequence[Hashable | None]
    ) -> Verdicts: ...


class Aligns(Protocol):
    """What an `Oracle` may offer beside: two answers piece by piece, for people."""

    def align(self, ours: Hashable, theirs: Hashable) -> Sequence[tuple[str, str]]:
        """Return the pieces of both that belong together, in order; "" where one answer has nothing there."""


# --- search ------------------------------------------------------------------------------------------------------


class Search(Protocol):
    """One campaign's search. Up to `Briefing.slots` cases are alive at once, each in a slot of its own.

    Of a mutant that fits one of the models no more, or on which a runtime failed, it is told nothing.
    What it does for a case depends on that case's past and stream alone.
    """

    def seat(self, slots: IntArray, reference: Observations, candidate: Observations, rows: IntArray) -> None:
        """Forget these slots: new cases begin there.

        The observations are of their seeds; `rows` are these seeds' rows in `Briefing.screened`, −1 without.
        """

    def ask(self, slots: IntArray, streams: Sequence[Stream]) -> Plans:
        """Plan one query for each of these slots."""

    def tell(self, slots: IntArray, turn: Turn) -> BoolArray:
        """Learn from the queries just asked; True where the mutant becomes its case's base."""


class SearchStrategy(Protocol):
    """A way to look for deviations. Its fields come from `[search]`, beside `max_queries` and `timeout_s`.

    A strategy that plans paths has `takes_paths = True`, else no neighbours are looked for.
    """

    needs_operators: ClassVar[bool]

    def start(self, briefing: Briefing) -> Search: ...


# --- generation --------------------------------------------------------------------------------------------------


class LatentSpace(AbstractContextManager["LatentSpace"], Protocol):
    """An opened encoder and decoder; closed by leaving its block. Codes are flat: float64 [n, k].

    Distances between codes are over the `active` dimensions, those in which samples differ.
    """

    active: BoolArray  # [k]
    facts: Mapping[str, Any]  # for the record: what it was made on, the sha256 of its weights and of these data, …

    def encode(self, samples: Batch) -> FloatArray:
        """Return the mean code of each sample: nothing is drawn, and row i depends on sample i alone, bit for bit.

        Raise `MisfitError` where samples are not of the shape, dtype or range that it was made for.
        """

    def decode(self, codes: FloatArray) -> Batch:
        """Return the samples that these codes stand for, of the dtype and shape that `encode` takes.

        Sample i depends on code i alone, bit for bit.
        """


class Spreads(Protocol):
    """What a `LatentSpace` may offer beside: how sure its encoder is, for tests drawn from its posterior."""

    def spread(self, samples: Batch) -> FloatArray:
        """Return the standard deviations of the samples' codes, float64 [n, k]."""


class Generator(Protocol):
    """A generative model of samples. Its fields come from the table `[generator]`; relative paths are `pathlib.Path`.

    One that is trained here has a command of its own (`dltf_commands`) that writes the file which `open` reads.
    """

    def open(self) -> LatentSpace:
        """Raise `ModelFileError` for a file that is missing or no such model."""

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the packages that run it, by distribution name."""


# --- repair ------------------------------------------------------------------------------------------------------


class FittedHead(Protocol):
    """A head that has learnt: from the candidate's states to scores of every class.

    It is kept as an ONNX model, input "states" float32 [n, d], output "scores" float32 [n, classes], so that what is
    deployed is what was measured.
    """

    @property
    def facts(self) -> Mapping[str, Any]:
        """For the record: sizes, epochs, what validation chose."""

    def scores(self, states: NDArray[Any]) -> FloatArray:
        """Return float64 [n, classes], the probability of each class; row i depends on state i alone."""

    def save(self, file: Path) -> None:
        """Write it as ONNX."""


class RepairHead(Protocol):
    """Learns to answer as the reference does from the states of the candidate. Its fields come from `[repair]`."""

    def fit(
        self, states: NDArray[np.float32], answers: IntArray, groups: IntArray, classes: int, stream: Stream
    ) -> FittedHead:
        """Learn from n inputs: the candidate's states [n, d], and the reference's answers, int64 [n] below `classes`.

        Rows of one group come from one seed and are never parted, where a head keeps some back to choose by.
        """

    def load(self, file: Path) -> FittedHead:
        """Read what `FittedHead.save` wrote; raise `ModelFileError` where it is none."""

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the packages that it needs, by distribution name."""


class Exports(Protocol):
    """What a `RepairHead` may offer beside: a repaired model as files that run without dltf."""

    def export(self, shipping: Shipping, folder: Path) -> Shipped:
        """Write files into the folder, which is there; raise `ConversionError` where the candidate cannot be had so."""


# --- commands ----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Training:
    """What a plugin's command trains a generator on.

    `generator` is the settings object of `[generator]`, `seeds` the opened source, `cases` the positions in it that the
    profile chooses, in order; `source` names the component that they come from.
    """

    name: str
    seed: int
    generator: Any
    seeds: Seeds
    cases: Sequence[int]
    source: str


class Workbench(Protocol):
    """What the host hands to a plugin's command (`click.pass_obj`): profiles, read as the host reads them."""

    def training(self, profile: Path, overrides: Sequence[str] = ()) -> Training:
        """Read `[campaign]`, `[domain]`, `[generator]`, and the samples of `[reference]`, or of `[seeds]` without it.

        Raise `ProfileError` with all complaints.
        """
