"""Paths through the codes of a VAE beside paths of pixels and of operators: how soon they find, and what they find.

`DLTF_DATA=… python benchmarks/latent_paths.py SET VAE [--judges A.onnx B.onnx] [--seeds N] [--page]` prints the tables
of one set, "mnist" or "cifar10"; with `--page` they are written into docs/explanation/latent-paths.md, too. The VAE is
the file that `dltf vae train` made of the training pictures of that set. Judges are two networks that take raw grey
levels, float32 [n, c, h, w], and give logits; they took no part in the search. Of CIFAR-10 they are two of the zoo that
are not of the pair, unless they are named. 500 seeds of MNIST take a minute on two cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen
from bracket import PAIRS, PairOfModels, table
from refine import written

from dltf.campaign import run
from dltf.campaign.comparison import Wish, tree_of
from dltf.campaign.selection import select
from dltf.feature.densities import Density
from dltf.feature.nearest import nearest_labels
from dltf.feature.validity import Looked, Reference, apart, look
from dltf.host import Host
from dltf.profile import SeedsTable, override, read_tree
from dltf.store import RunFolder, Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import LatentSpace

    Floats = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "latent-paths.md"
SEEDS = 500
REFERENCE = 20_000  # training pictures whose codes are the reference
HELD_OUT = 1000  # test pictures, none of them a seed
SURE = 0.9  # probability
RESAMPLES = 2000

NAMES = {
    "mnist": ("dflare lenet5", "zoo mnist-lenet4, pruned", "zoo mnist-cnn, pruned"),
    "cifar10": (
        "dflare ResNet-20",
        "mlperf_tiny ResNet-8",
        "zoo cifar10-resnet20, pruned",
        "zoo cifar10-plainnet20, pruned",
        "zoo cifar10-vgg16, pruned",
    ),
}
JUDGES = ("cifar10-resnet20", "cifar10-vgg16", "cifar10-plainnet20")  # of CIFAR-10, under models/zoo, in this order
SOURCES = {"mnist": "image.mnist", "cifar10": "image.cifar10_jpeg"}

MARKERS = {
    "mnist": ("mnist seeds", "mnist searched", "mnist checked", "mnist ratios"),
    "cifar10": ("cifar10 seeds", "cifar10 searched", "cifar10 checked", "cifar10 ratios"),
}
PIXELS, LATENT, NEAR, AGAIN, OPERATORS = (
    "pixel paths",
    "latent paths",
    "latent paths, partners by pixels",
    "latent paths, reconstructions",
    "operator paths",
)


@frozen(eq=False)
class Found:
    """The findings of one campaign: of each its case, the label of its seed and of the path's other end (−1: none)."""

    searched: int
    natural: int
    cases: NDArray[np.int64]
    queries: Floats
    rms: Floats
    samples: NDArray[np.uint8]
    labels: NDArray[np.int64]
    others: NDArray[np.int64]
    severity: Floats
    seconds: float


@frozen(eq=False)
class Look:
    """What each finding is worth: the checks it passes, and what the judges say."""

    label: NDArray[np.bool_]  # V1: the reference codes nearest to its own and to that again have the label of an end
    cycle: NDArray[np.bool_]  # V2
    density: NDArray[np.bool_]  # V3
    reconstruction: NDArray[np.bool_]  # V4
    density_rank: Floats  # the share of held-out pictures that are less likely, in percent
    rebuilt_rank: Floats  # the share that the VAE reconstructs worse, in percent
    agree: NDArray[np.bool_]  # both judges say the label of the seed, or both that of the partner
    kept: NDArray[np.bool_]  # both judges say the label of the seed
    sure: NDArray[np.bool_]  # both judges agree and are sure of it

    @property
    def valid(self) -> NDArray[np.bool_]:
        return np.asarray(self.label & self.cycle & self.density & self.reconstruction)


def settings_of(vae: Path) -> Mapping[str, Sequence[str]]:
    """Return what each campaign sets."""
    latent = ("operators=[]", "paths.use=vae", f"paths.file={vae}")
    return {
        PIXELS: ("operators=[]",),
        LATENT: latent,
        NEAR: (*latent, "paths.neighbours=samples"),
        AGAIN: (*latent, "paths.seeds=reconstructions"),
        OPERATORS: ("search.paths=0", 'operators=[{preset="image.wide"}]'),
    }


def campaign(pair: PairOfModels, seeds: int, settings: Sequence[str]) -> Found:
    """Run one campaign, and read what it has found."""
    models = [str(Path(os.environ["DLTF_DATA"]) / "models" / name) for name in (pair.reference, pair.candidate)]
    host = Host()
    inputs = [f"models.reference.input.{key}" for key in pair.reference_input]
    inputs += [f"models.candidate.input.{key}" for key in pair.candidate_input]
    wish = Wish(*models, pair.seeds, count=seeds, queries=10_000, operators="image.dflare-released")
    profile = read_tree(override(tree_of(wish, host), [*inputs, *settings]), host)
    with TemporaryDirectory() as folder:
        outcome = run(profile, host, RunFolder(Path(folder) / "run"))
        with Store(outcome.folder, write=False) as store:
            found = [one for one in store.findings() if one.phase == "search" and one.kind == "deviation"]
            ends = [one.last_draw.get("to") for one in found]
            others = [-1 if end is None else store.screened(end).label for end in ends]
    decode = profile.domain.codec.decode
    return Found(
        searched=outcome.summary["searched"],
        natural=outcome.summary["screened"]["natural"],
        cases=np.array([one.case for one in found]),
        queries=np.array([one.queries for one in found], dtype=np.float64),
        rms=np.array([one.distances["rms"] for one in found]),
        samples=np.stack([decode(one.sample) for one in found]),
        labels=np.array([one.seed_label for one in found]),
        others=np.array(others),
        severity=np.array([one.severity or 0.0 for one in found]),
        seconds=outcome.summary["seconds"]["total"],
    )


class Judges:
    """Two networks, asked for probabilities."""

    def __init__(self, files: Sequence[Path]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._sessions = [onnxruntime.InferenceSession(str(file), options) for file in files]

    def ask(self, samples: NDArray[np.uint8]) -> Floats:
        """Return probabilities [judges, n, classes]."""
        tensors = np.ascontiguousarray(samples.transpose(0, 3, 1, 2), dtype=np.float32)
        answers = []
        for session in self._sessions:
            logits = session.run(None, {session.get_inputs()[0].name: tensors})[0].astype(np.float64)
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            answers.append(odds / odds.sum(axis=1, keepdims=True))
        return np.stack(answers)


def judges_of(named: Sequence[Path] | None, reference: str) -> Judges:
    """Return the judges that are named, or two of the zoo's that are not of this pair."""
    zoo = Path(os.environ["DLTF_DATA"]) / "models" / "zoo"
    return Judges(named or [zoo / f"{name}.onnx" for name in JUDGES if name not in reference][:2])


class Yardstick:
    """What real pictures are like: reference codes, and what held-out pictures come to."""

    def __init__(self, name: str, seeds: int, space: LatentSpace) -> None:
        source: Any = Host().find("dltf_seed_sources", SOURCES[name]).load()
        samples, labels = pictures_of(source(split="train").open(), range(REFERENCE))
        offered = source(split="test").open()
        used = select(SeedsTable(use=SOURCES[name], count=seeds), len(offered), 0)
        free = np.setdiff1d(np.arange(len(offered)), used)
        held = np.random.default_rng(0).permutation(free)[:HELD_OUT]
        self._held, self.held_labels = pictures_of(offered, held.tolist())
        codes = np.ascontiguousarray(space.encode(samples)[:, space.active])
        self._space = space
        self._reference = Reference(codes, labels, "l2", Density.among(codes, "l2"))
        self._usual = self._measured(self._held)
        self.bounds = {
            "cycle": float(np.quantile(self._usual.cycle, 0.99)),
            "density": float(np.quantile(self._usual.density, 0.01)),
            "reconstruction": float(np.quantile(self._usual.reconstruction, 0.99)),
        }

    def _measured(self, samples: NDArray[np.uint8]) -> Looked:
        """Measure pictures that came with no code: by their own, and by what the decoder makes of it."""
        codes = self._space.encode(samples)
        made = self._space.decode(codes)
        return evolve(look(self._space, codes, made, self._reference), reconstruction=apart(samples, made))

    def look(
        self, samples: NDArray[np.uint8], labels: NDArray[np.int64], others: NDArray[np.int64], judges: Judges
    ) -> Look:
        """Check samples whose path leads from one label to another, −1 where it leads nowhere in particular."""
        seen = self._measured(samples)
        own = self._space.encode(samples)[:, self._space.active]
        near = np.array([self._nearest(codes) for codes in (own, seen.recoded)])
        said = judges.ask(samples)
        answers = said.argmax(axis=2)
        agree = (answers[0] == answers[1]) & ((answers[0] == labels) | (answers[0] == others))
        return Look(
            label=((near == labels) | (near == others)).all(axis=0),
            cycle=seen.cycle <= self.bounds["cycle"],
            density=seen.density >= self.bounds["density"],
            reconstruction=seen.reconstruction <= self.bounds["reconstruction"],
            density_rank=ranks(seen.density, self._usual.density),
            rebuilt_rank=100.0 - ranks(seen.reconstruction, self._usual.reconstruction),
            agree=agree,
            kept=(answers == labels).all(axis=0),
            sure=agree & (said.max(axis=2) >= SURE).all(axis=0),
        )

    def _nearest(self, codes: Floats) -> list[Any]:
        return nearest_labels(codes, self._reference.codes, self._reference.labels, "l2")[0]

    def held_out(self, judges: Judges) -> Look:
        """Return the same of the held-out pictures themselves."""
        return self.look(self._held, self.held_labels, np.full(len(self._held), -1), judges)


def pictures_of(seeds: Any, rows: Sequence[int]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the samples and labels of these seeds."""
    read = [seeds[row] for row in rows]
    return np.stack([one.sample for one in read]), np.array([one.label for one in read])


def ranks(values: Floats, among: Floats) -> Floats:
    """Return the share of `among` that lies below each value, in percent."""
    return np.asarray(100.0 * np.searchsorted(np.sort(among), values) / len(among))


# --- tables ------------------------------------------------------------------------------------------------------

SEARCHED = ("pair", "paths", "natural", "found", "queries: mean", "median", "worst", "rms", "severity, median", "ms")
CHECKED = (
    *("pair", "paths", "V1–V4", "V1 label", "V2 cycle", "V3 density", "V4 reconstruction"),
    *("likelier than", "better rebuilt than", "judges agree", "on the seed's label", "both sure"),
)
BESIDE = (
    *("pair", "beside pixel paths", "seeds", "queries", "rms", "V1–V4", "likelier", "better rebuilt"),
    *("judges agree", "both sure"),
)


def searched(pair: str, name: str, found: Found) -> tuple[str, ...]:
    """Return how soon findings came, and how far they are from their seeds."""
    return (
        pair,
        name,
        str(found.natural),
        f"{len(found.cases)}/{found.searched}",
        f"{found.queries.mean():.2f}",
        f"{np.median(found.queries):g}",
        f"{found.queries.max():g}",
        f"{found.rms.mean():.1f}",
        f"{np.median(found.severity):.3f}",
        f"{1000 * found.seconds / len(found.cases):.0f}",
    )


def checked(pair: str, name: str, seen: Look) -> tuple[str, ...]:
    """Return what findings are worth: shares of them, and the median share of held-out pictures that is worse."""
    return (
        pair,
        name,
        *(percent(one) for one in (seen.valid, seen.label, seen.cycle, seen.density, seen.reconstruction)),
        *(f"{np.median(one):.0f}%" for one in (seen.density_rank, seen.rebuilt_rank)),
        *(percent(one) for one in (seen.agree, seen.kept, seen.sure)),
    )


def percent(these: NDArray[np.bool_]) -> str:
    """Return a share."""
    return f"{these.mean():.1%}"


def beside(pair: str, name: str, pixels: tuple[Found, Look], other: tuple[Found, Look]) -> tuple[str, ...]:
    """Return ratios and differences over the seeds that both found something for, with 95 % bootstrap intervals."""
    _, mine, theirs = np.intersect1d(other[0].cases, pixels[0].cases, return_indices=True)
    drawn = np.random.default_rng(0).integers(len(mine), size=(RESAMPLES, len(mine)))

    def ratio(ours: Floats, base: Floats) -> str:
        values = ours[mine][drawn].mean(axis=1) / base[theirs][drawn].mean(axis=1)
        return told(ours[mine].mean() / base[theirs].mean(), values, "{:.2f}", " ×")

    def difference(figure: str, scale: float = 100.0) -> str:
        ours, base = (getattr(one[1], figure).astype(np.float64) * scale for one in (other, pixels))
        apart = ours[mine] - base[theirs]
        return told(apart.mean(), apart[drawn].mean(axis=1), "{:+.1f}", "")

    return (
        pair,
        name,
        str(len(mine)),
        ratio(other[0].queries, pixels[0].queries),
        ratio(other[0].rms, pixels[0].rms),
        difference("valid"),
        *(difference(figure, 1.0) for figure in ("density_rank", "rebuilt_rank")),
        *(difference(figure) for figure in ("agree", "sure")),
    )


def told(value: float, resampled: Floats, form: str, unit: str) -> str:
    """Return a figure and its interval."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return f"{form.format(value)}{unit} [{form.format(low)}, {form.format(high)}]"


def main() -> None:
    """Measure one set, print, and write the page where that is asked for."""
    asked = argparse.ArgumentParser()
    asked.add_argument("set", choices=NAMES)
    asked.add_argument("vae", type=Path)
    asked.add_argument("--judges", type=Path, nargs=2)
    asked.add_argument("--seeds", type=int, default=SEEDS)
    asked.add_argument("--page", action="store_true")
    given = asked.parse_args()
    if given.judges is None and given.set == "mnist":
        asked.error("judges of MNIST are to be named: --judges A.onnx B.onnx")
    vae = given.vae.absolute()
    generator: Any = Host().find("dltf_generators", "vae").load()(file=vae)
    soon, worth, ratios = [], [], []
    with generator.open() as space:
        yardstick = Yardstick(given.set, given.seeds, space)
        worth.append(checked("–", "held-out pictures", yardstick.held_out(judges_of(given.judges, ""))))
        print(worth[-1], yardstick.bounds, flush=True)
        for pair in (one for one in PAIRS if one.name in NAMES[given.set]):
            measured: dict[str, tuple[Found, Look]] = {}
            judges = judges_of(given.judges, pair.reference)
            for name, settings in settings_of(vae).items():
                found = campaign(pair, given.seeds, settings)
                measured[name] = found, yardstick.look(found.samples, found.labels, found.others, judges)
                soon.append(searched(pair.name, name, found))
                worth.append(checked(pair.name, name, measured[name][1]))
                print(soon[-1], worth[-1][2:], f"{found.seconds:.1f} s", flush=True)
            ratios += [beside(pair.name, name, measured[PIXELS], measured[name]) for name in list(measured)[1:]]
        facts = space.facts
    texts = (
        f"{given.seeds} seeds, VAE with weights {str(facts['weights'])[:12]}",
        *(table(head, lines) for head, lines in ((SEARCHED, soon), (CHECKED, worth), (BESIDE, ratios))),
    )
    made = dict(zip(MARKERS[given.set], texts, strict=True))
    if given.page:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    print(*made.values(), sep="\n\n")


if __name__ == "__main__":
    main()
