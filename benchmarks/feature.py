"""Generated pictures: whether they keep their label, and what they find, method by method.

    DLTF_DATA=… python benchmarks/feature.py SET --vaes FILE … [--judges FOLDER] [--models NAME …] [--count 1000]
                                            [--tests 40] [--set KEY=VALUE …] [--keep FILE] [--write]

VAEs are made by `dltf vae train`, with the profiles in examples/feature. Of "mnist", judges are made by
train_judges.py there: its check judges are asked by the validity checks, and its mlp90.onnx is tested; two networks of
the zoo under DLTF_DATA, which have no part in any of this, measure. Of "cifar10" and "fashion" all models are there.
Prints the tables of docs/explanation/feature.md; --write puts them there.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from refine import written

from dltf.feature.run import generate
from dltf.host import Host
from dltf.profile.feature import read_feature

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "feature.md"
MARKERS = {"mnist": "figures mnist", "fashion": "figures fashion", "cifar10": "figures cifar10"}
RADII = ("seed", "global")
RESAMPLES = 2000
ENOUGH = 5  # seeds, to say how many times as many there are
METHODS = ("ball", "sphere", "posterior", "bridge", "search")
WITHIN_R = ("ball", "sphere")
"""The methods that are run with the least radius of all, too."""

PROFILE = """
[campaign]
name = "feature"
domain = "image"
batch = 256

[seeds]
use = "{source}"
split = "test"

[reference]
use = "{source}"
split = "train"
order = "given"

[generator]
use = "vae"
"""
_RAW = {"range": [0.0, 255.0]}
_DFLARE = _RAW | {"mean": [125.307, 122.95, 113.865], "std": [62.9932, 62.0887, 66.7048]}


@frozen
class File:
    """A model file under a folder of judges or of data, and what its input is, where it does not say so itself."""

    path: str
    input: Mapping[str, Any] = {}


@frozen
class Model:
    """A model under test, or a pair."""

    told: str
    candidate: File
    reference: File | None = None


@frozen
class Pictures:
    """A data set: what is tested on it, who checks and who measures."""

    source: str
    models: Mapping[str, Model]
    check: Mapping[str, File]
    measure: Mapping[str, File]


def _zoo(name: str) -> File:
    return File(f"{{data}}/models/zoo/{name}.onnx", _RAW)


def _judge(name: str) -> File:
    return File(f"{{judges}}/{name}.onnx", _RAW)


_LENET5 = File("{data}/models/dflare/lenet5.onnx")
SETS = {
    "mnist": Pictures(
        "image.mnist",
        {
            "mlp90": Model("softmax regression, 90 %", _judge("mlp90")),
            "lenet5": Model("LeNet-5", _LENET5),
            "pair": Model("LeNet-5, its 8-bit self", File("{data}/models/dflare/lenet5-quan.lite"), _LENET5),
        },
        {"strided": _judge("check-strided"), "pooled": _judge("check-pooled")},
        {"cnn": _zoo("mnist-cnn"), "lenet4": _zoo("mnist-lenet4")},
    ),
    "fashion": Pictures(
        "image.fashion_mnist",
        {"linear": Model("softmax regression, 82 %", _judge("linear"))},
        {"strided": _judge("check-strided"), "pooled": _judge("check-pooled")},
        {"averaged": _judge("measure-averaged"), "patches": _judge("measure-patches")},
    ),
    "cifar10": Pictures(
        "image.cifar10_jpeg",
        {
            "plainnet20": Model("PlainNet-20, 75 %", _zoo("cifar10-plainnet20")),
            "pair": Model("PlainNet-20, pruned", _zoo("cifar10-plainnet20-pruned"), _zoo("cifar10-plainnet20")),
        },
        {"vgg16": _zoo("cifar10-vgg16")},
        {"resnet20": _zoo("cifar10-resnet20"), "dflare": File("{data}/models/dflare/resnet.onnx", _DFLARE)},
    ),
}


def overrides(pictures: Pictures, model: Model, vae: Path, radius: str, arguments: argparse.Namespace) -> list[str]:
    """Return what the profile says of one run."""
    methods = METHODS if radius == "seed" else WITHIN_R
    tables: dict[str, Any] = {
        "seeds.count": arguments.count,
        "generator.file": str(vae.absolute()),
        "generate.tests": arguments.tests,
        "generate.radius": radius,
        "generate.methods": [method for method in methods if method in arguments.methods],
    }
    places = {"judges": str(arguments.judges.absolute()), "data": os.environ["DLTF_DATA"]}
    tables |= _model("models.candidate", model.candidate, places)
    if model.reference is not None:
        tables |= _model("models.reference", model.reference, places)
    for role, judges in (("check", pictures.check), ("measure", pictures.measure)):
        for name, judge in judges.items():
            tables |= _model(f"judges.{role}.{name}", judge, places)
    return [f"{key}={json.dumps(value)}" for key, value in tables.items()] + arguments.set


def _model(table: str, file: File, places: Mapping[str, str]) -> dict[str, Any]:
    path = file.path.format(**places)
    more = {f"{table}.input.{key}": value for key, value in file.input.items()}
    return {f"{table}.backend": "tflite" if path.endswith(".lite") else "onnxruntime", f"{table}.file": path} | more


def measured(source: str, settings: Sequence[str], folder: Path) -> dict[str, Any]:
    """Generate in a folder, whose codes serve every run with one VAE, and return what the tables need."""
    began = time.monotonic()
    host, file = Host(), folder.with_suffix(".toml")
    file.write_text(PROFILE.format(source=source), encoding="utf-8")
    told = generate(read_feature(file, host, settings), host, folder, _said, resume=folder.exists())
    found = {method: confirmed(folder / "tests" / f"{method}.npz") for method in told["methods"]}
    kept = {key: told[key] for key in ("seeds", "methods", "reconstruction_failures")}
    separation = {key: told["separation"][key] for key in ("r", "trimmed", "seeds", "suspect_radius")}
    generator = {"facts": told["generator"]["facts"], "active": told["generator"]["active"]}
    accepted = told["seeds"]["taken"]
    ratios = {method: times(cases, found["ball"], accepted) for method, cases in found.items() if "ball" in found}
    seconds = time.monotonic() - began
    return kept | {"separation": separation, "generator": generator, "times_ball": ratios, "seconds": seconds}


def _said(what: str, done: int, total: int) -> None:
    if done == 0:
        print(f"  {what}, {total:,}", flush=True)


def confirmed(file: Path) -> list[int]:
    """Return the cases of seeds with a failure that passed every check and whose label all measuring judges confirm."""
    if not file.exists():
        return []
    with np.load(file, allow_pickle=False) as tests:
        sure = np.logical_and.reduce([tests[name] for name in tests.files if name.startswith("keeps_")])
        return np.unique(tests["case"][sure & tests["valid"] & (tests["kind"] != "")]).tolist()


def times(cases: Sequence[int], others: Sequence[int], seeds: int) -> list[float] | None:
    """Return how many times as many of n seeds have a confirmed failure, with its interval by bootstrap over seeds."""
    if not others:
        return None
    known = sorted({*cases, *others})
    mine, theirs = (np.isin(known, some) for some in (cases, others))
    flags = np.zeros((seeds, 2))
    flags[: len(known)] = np.stack([mine, theirs], axis=1)
    rng = np.random.default_rng(0)
    sums = np.stack([flags[rng.integers(seeds, size=seeds)].sum(axis=0) for _ in range(RESAMPLES)])
    low, high = np.quantile(sums[:, 0] / np.maximum(sums[:, 1], 1), (0.025, 0.975))
    return [len(cases) / len(others), float(low), float(high)]


def share(figures: Mapping[str, Any], name: str, *, digits: int = 1) -> str:
    """Return a share with its interval, in per cent."""
    value, ends = figures.get(name), figures.get("intervals", {}).get(name)
    if value is None:
        return "–"
    return f"{100 * value:.{digits}f}" + (f" [{', '.join(f'{100 * end:.{digits}f}' for end in ends)}]" if ends else "")


def lines(told: Mapping[str, Any]) -> list[str]:
    """Return the rows of one model under one VAE."""
    rows = []
    for radius, one in told.items():
        for method, figures in one["methods"].items():
            if not figures["tests"]:
                rows.append(f"| {_named(method, radius)} | 0 |" + " – |" * 7)
                continue
            ratio = one["times_ball"].get(method) if radius == "seed" and method != "ball" else None
            against = _against(ratio, one["methods"]["ball"]) if ratio else ""
            cells = (
                _named(method, radius),
                f"{figures['tests']:,}",
                share(figures, "label_kept", digits=2),
                share(figures, "valid_share"),
                f"{figures['failures']:,}",
                share(figures, "precision_unchecked"),
                share(figures, "precision"),
                share(figures, "confirmed_seeds_share"),
                against,
            )
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _against(ratio: Sequence[float], ball: Mapping[str, Any]) -> str:
    """Return a ratio; its interval where enough seeds have a failure by `ball` for draws of them to have some."""
    told = f"{ratio[0]:.2f}"
    return told if ball["confirmed_seeds"] < ENOUGH else f"{told} [{ratio[1]:.2f}, {ratio[2]:.2f}]"


def _named(method: str, radius: str) -> str:
    within = {"seed": " within ρᵢ", "global": " within r"}[radius]
    return method + (within if method in WITHIN_R else "")


HEAD = (
    "| tests | number | label kept, % | pass every check, % | failures | of these confirmed, % "
    "| of those that pass, % | seeds with a confirmed failure, % | × `ball` |",
    "|" + "---|" * 9,
)


def screen_line(name: str, told: Mapping[str, Any]) -> str:
    """Return the row of one model in the table of seeds."""
    one = told["seed"]
    seeds, separation = one["seeds"], one["separation"]
    bridge = one["methods"].get("bridge")
    cells = (
        name,
        f"{one['generator']['active']}",
        f"{separation['r']:.3f}",
        f"{separation['seeds']['median']:.2f}",
        f"{seeds['offered']:,}",
        *(f"{seeds[step]:,}" for step in ("label", "reconstruction", "right", "reconstruction_right", "radius")),
        f"{seeds['accepted']:,} ({seeds['accepted'] / seeds['offered']:.1%})",
        f"{bridge['seeds_with_tests'] / bridge['accepted']:.2%}" if bridge else "–",
    )
    return f"| {' | '.join(cells)} |"


SCREEN = (
    "| VAE, model | active | r | median ρᵢ | seeds | nearest label | label lost in the reconstruction, or unsure "
    "| model wrong | wrong once reconstructed | ρᵢ too small | accepted | `bridge` reaches |",
    "|" + "---|" * 12,
)


def tables(known: Mapping[str, Any], models: Mapping[str, Model]) -> list[str]:
    """Return the tables of all that was measured."""
    text = [*SCREEN]
    text += [
        screen_line(f"{vae}, {models[model].told}", told) for vae, of in known.items() for model, told in of.items()
    ]
    for vae, of in known.items():
        for model, told in of.items():
            text += ["", f"**{vae}, {models[model].told}**", "", *HEAD, *lines(told)]
    return text


def write(name: str, text: str) -> None:
    """Put the tables of a data set into the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(written(page, {MARKERS[name]: text}), encoding="utf-8")


def main() -> None:
    """Measure what is not kept yet, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", choices=SETS, metavar="SET", help=f"what is tested on: {', '.join(SETS)}")
    parser.add_argument("--vaes", type=Path, nargs="+", required=True, metavar="FILE", help="artefacts of that set")
    parser.add_argument("--judges", type=Path, default=Path(), metavar="FOLDER", help="what train_judges.py made")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="some of those that are tested on the set")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of the profile")
    parser.add_argument("--count", type=int, default=1000, help="test pictures offered as seeds (default: %(default)s)")
    parser.add_argument("--tests", type=int, default=40, help="for each seed and method (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="a JSON file of what was measured; what is in it is not done again")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    arguments = parser.parse_args()
    pictures = SETS[arguments.pictures]
    keep: Path | None = arguments.keep
    known: dict[str, Any] = json.loads(keep.read_text()) if keep is not None and keep.exists() else {}
    with tempfile.TemporaryDirectory() as named:
        for vae, name in product(arguments.vaes, arguments.models or pictures.models):
            called = vae.name.partition(".")[0]
            told = known.setdefault(called, {}).setdefault(name, {})
            for radius in RADII:
                if radius not in told and set(arguments.methods) & set(WITHIN_R if radius == "global" else METHODS):
                    print(f"{called}, {name}, radius {radius}", flush=True)
                    settings = overrides(pictures, pictures.models[name], vae, radius, arguments)
                    told[radius] = measured(pictures.source, settings, Path(named) / called)
                    if keep is not None:
                        keep.write_text(json.dumps(known, indent=1))
            print("\n".join([screen_line(name, told), *HEAD, *lines(told)]), flush=True)
    text = "\n".join(tables(known, pictures.models))
    print(text)
    if arguments.write:
        write(arguments.pictures, text)


if __name__ == "__main__":
    main()
