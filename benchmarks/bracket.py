"""The strategy `bracket` against `dflare` as released, pair by pair, each on the same seeds in one run.

`DLTF_DATA=… python benchmarks/bracket.py [SEEDS [PART]]` prints the tables and writes them into
docs/explanation/bracket.md; PART is "pairs" or "operators", and both without it. 500 seeds on all pairs take six
minutes on two cores.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from dltf.campaign import run
from dltf.campaign.comparison import Wish, tree_of
from dltf.host import Host
from dltf.profile import override, read_tree
from dltf.store import RunFolder, Store

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "bracket.md"
SEEDS = 500
CAP = 10_000  # queries a seed
_DFLARE_INPUT = ("range=[0,255]", "mean=[125.307,122.95,113.865]", "std=[62.9932,62.0887,66.7048]")
_RAW = ("range=[0,255]",)
_RELEASED = ("search.use=dflare", "search.fitness=released", "search.selection=released")


@frozen
class PairOfModels:
    """Two files under models/, their seeds, and what no file tells of their input."""

    name: str
    reference: str
    candidate: str
    seeds: str
    reference_input: tuple[str, ...] = ()
    candidate_input: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


MNIST, CIFAR = "image.mnist", "image.cifar10_jpeg"
PAIRS = (
    PairOfModels("dflare lenet5", "dflare/lenet5.onnx", "dflare/lenet5-quan.lite", MNIST),
    PairOfModels(
        "dflare ResNet-20", "dflare/resnet.onnx", "dflare/resnet-quan.lite", CIFAR, _DFLARE_INPUT, _DFLARE_INPUT
    ),
    PairOfModels(
        "mlperf_tiny ResNet-8",
        "mlperf_tiny/pretrainedResnet.tflite",
        "mlperf_tiny/pretrainedResnet_quant.tflite",
        CIFAR,
        _RAW,
    ),
    PairOfModels("tinymaix cifar10", "tinymaix/cifar10_f.tflite", "tinymaix/cifar10_q.tflite", CIFAR),
    PairOfModels("tinymaix mnist_dw", "tinymaix/mnist_dw_f.tflite", "tinymaix/mnist_dw_q.tflite", MNIST),
    PairOfModels(
        "derived mbnet128 int8",
        "derived/mbnet128_0.25_f32.tflite",
        "derived/mbnet128_0.25_int8_ptq.tflite",
        "photographs",
        ("range=[-1,1]", "resize=bilinear"),
        ("resize=bilinear",),
    ),
    *(
        PairOfModels(f"zoo {name}, pruned", f"zoo/{name}.onnx", f"zoo/{name}-pruned.onnx", seeds, _RAW, _RAW)
        for name, seeds in (
            ("mnist-lenet4", MNIST),
            ("mnist-cnn", MNIST),
            ("cifar10-resnet20", CIFAR),
            ("cifar10-plainnet20", CIFAR),
            ("cifar10-vgg16", CIFAR),
        )
    ),
)


@frozen
class Measured:
    """What one campaign came to."""

    strategy: str
    searched: int
    found: int
    mean: float
    median: float
    worst: int
    rms: float
    seconds_each: float  # wall time, screening included, for each finding
    overhead: float  # the share of it that was not spent in the models

    def cells(self) -> tuple[str, ...]:
        """Return the columns of a table."""
        return (
            self.strategy,
            f"{self.found / self.searched:.1%}",
            f"{self.mean:.1f}",
            f"{self.median:g}",
            str(self.worst),
            f"{self.rms:.1f}",
            f"{self.seconds_each * 1000:.1f}",
            f"{self.overhead:.0%}",
        )


HEAD = ("pair", "strategy", "found", "queries: mean", "median", "worst", "rms", "ms a finding", "outside the models")


def campaign(pair: PairOfModels, seeds: int, strategy: str, *settings: str) -> Measured:
    """Run one campaign; `settings` are those of a profile."""
    data = Path(os.environ["DLTF_DATA"])
    models = [str(data / "models" / name) for name in (pair.reference, pair.candidate)]
    named = str(data / "imagenet_samples_224_jpeg.npz") if pair.seeds == "photographs" else pair.seeds
    host = Host()
    inputs = [f"models.reference.input.{key}" for key in pair.reference_input]
    inputs += [f"models.candidate.input.{key}" for key in pair.candidate_input]
    wish = Wish(*models, named, count=seeds, queries=CAP, operators="image.dflare-released")
    tree = override(tree_of(wish, host), [*inputs, *settings])
    with TemporaryDirectory() as folder:
        outcome = run(read_tree(tree, host), host, RunFolder(Path(folder) / "run"))
        with Store(outcome.folder, write=False) as store:
            rows = store.query("SELECT queries FROM searched WHERE outcome = 'found'")
    summary = outcome.summary
    queries = [queries for (queries,) in rows]
    seconds = summary["seconds"]
    return Measured(
        strategy,
        summary["searched"],
        len(queries),
        statistics.fmean(queries),
        statistics.median(queries),
        max(queries),
        summary["distance_rms"]["mean"],
        seconds["total"] / max(summary["findings"], 1),
        1 - seconds["models"] / seconds["total"],
    )


def rows(seeds: int, pairs: Sequence[PairOfModels] = PAIRS) -> Iterator[tuple[PairOfModels, Measured, Measured]]:
    """Measure both strategies on each pair, one after the other."""
    for pair in pairs:
        yield pair, campaign(pair, seeds, "dflare", *_RELEASED), campaign(pair, seeds, "bracket")


def operator_rows(seeds: int) -> Iterator[tuple[str, Measured]]:
    """Measure paths along operators alone."""
    wide = ("search.paths=0", 'operators=[{preset="image.wide"}]')
    for pair in PAIRS[:3]:
        yield pair.name, campaign(pair, seeds, "bracket, operators alone", *wide)


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def pairs_table(measured: Sequence[tuple[PairOfModels, Measured, Measured]]) -> str:
    """Return two rows a pair."""
    lines = [(pair.name, *one.cells()) for pair, *both in measured for one in both]
    return table(HEAD, lines)


def ratios_table(measured: Sequence[tuple[PairOfModels, Measured, Measured]]) -> str:
    """Return how many times `bracket` does better."""
    lines = [
        (
            pair.name,
            f"{dflare.mean / bracket.mean:.1f}",
            f"{dflare.median / bracket.median:.1f}",
            f"{dflare.seconds_each / bracket.seconds_each:.1f}",
            f"{dflare.rms / bracket.rms:.1f}",
        )
        for pair, dflare, bracket in measured
    ]
    return table(("pair", "mean queries", "median queries", "time a finding", "distance"), lines)


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the tables into the page between their markers."""
    seeds = int(arguments[0]) if arguments else SEEDS
    part = arguments[1] if len(arguments) > 1 else ""
    told = {"seeds": f"{seeds} seeds"}
    if part != "operators":
        measured = []
        for row in rows(seeds):
            measured.append(row)
            print(f"{row[0].name}: {row[1].cells()} {row[2].cells()}", flush=True)
        told |= {"pairs": pairs_table(measured), "ratios": ratios_table(measured)}
    if part != "pairs":
        told["operators"] = table(HEAD, [(name, *one.cells()) for name, one in operator_rows(seeds)])
    text = PAGE.read_text(encoding="utf-8")
    for name, made in told.items():
        head, _, rest = text.partition(f"<!-- {name} -->")
        _, _, tail = rest.partition(f"<!-- end of {name} -->")
        text = f"{head}<!-- {name} -->\n{made}\n<!-- end of {name} -->{tail}"
    PAGE.write_text(text, encoding="utf-8")
    print(*told.values(), sep="\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
