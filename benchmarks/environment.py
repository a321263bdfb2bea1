"""DeltaNN's two questions on one network: how many labels differ between environments, and how much slower they are.

`DLTF_DATA=… python benchmarks/environment.py [REPETITIONS]` runs mobilenet.toml and resnet8-kernels.toml of
examples/matrix, and writes their tables into docs/explanation/environment.md, too. Six minutes on two cores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dltf.host import Host
from dltf.matrix.run import run_matrix
from dltf.profile.matrix import read_matrix

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "environment.md"
EXAMPLES = ROOT / "examples" / "matrix"
REPETITIONS = 30

_PRECISIONS, _FAULTS = ("float", "int8", "dynamic"), ("wrong-range", "raw-pixels", "bgr", "nearest")


def parts_of(name: str) -> dict[str, str]:
    """Return what a variant's name says of its environment."""
    precision = next(kind for kind in _PRECISIONS if name.startswith(kind))
    fault = next((fault for fault in _FAULTS if name.endswith(fault)), "")
    runtime = "openvino" if "openvino" in name else "litert"
    kernels = "" if fault else name.removeprefix(f"{precision}-{runtime}").strip("-") or "cpu"
    if kernels == "cpu-bf16":
        precision, kernels = "bf16", "cpu"
    return {"precision": precision, "runtime": runtime, "kernels": kernels or "cpu", "preparation": fault}


FACTORS = {
    "kernels": "the same file in the same runtime, other kernels",
    "runtime": "the same file, another runtime",
    "precision": "the same runtime and kernels, another precision",
    "preparation": "the same file and kernels, inputs prepared wrongly",
}


def pairs(result: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Yield the factor in which two variants differ, where it is the only one, and their rows."""
    names = [one["name"] for one in result["variants"]]
    for first, second in combinations(range(len(names)), 2):
        ours, theirs = parts_of(names[first]), parts_of(names[second])
        apart = [factor for factor in FACTORS if ours[factor] != theirs[factor]]
        if len(apart) == 1 and (apart[0] != "preparation" or "" in (ours["preparation"], theirs["preparation"])):
            yield apart[0], first, second


def labels_table(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the pair of each factor whose labels differ most."""

    def differing(first: int, second: int) -> float:
        return (result["differences"][first][second] or 0) / result["seeds"]

    return [(factor, FACTORS[factor], *told, f"{share:.1%}") for factor, told, share in _largest(result, differing)]


def times_table(result: Mapping[str, Any], batch: str) -> list[tuple[str, ...]]:
    """Return the pair of each factor of which one is slowest beside the other, by medians at this batch."""
    medians = [((one.get("timing") or {}).get(batch) or {}).get("median_s") for one in result["variants"]]

    def slower(first: int, second: int) -> float:
        ours, theirs = medians[first], medians[second]
        return max(ours, theirs) / min(ours, theirs) - 1 if ours and theirs else 0.0

    return [(factor, FACTORS[factor], *told, f"+{share:.0%}") for factor, told, share in _largest(result, slower)]


def _largest(
    result: Mapping[str, Any], measure: Callable[[int, int], float]
) -> Iterator[tuple[str, tuple[str, str], float]]:
    names = [one["name"] for one in result["variants"]]
    for factor in FACTORS:
        found = [(measure(first, second), first, second) for kind, first, second in pairs(result) if kind == factor]
        if found:
            share, first, second = max(found)
            yield factor, (names[first], names[second]), share


def variants_table(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a line for each variant."""
    lines = []
    for one in result["variants"]:
        labels = one.get("figures", {}).get("labels", {})
        times = [(one.get("timing") or {}).get(str(batch)) for batch in (1, result["batch"])]
        accuracy = "" if one.get("accuracy") is None else f"{one['accuracy']:.1%}"
        differ = f"{labels['share']:.1%}" if labels else ""
        lines.append((one["name"], one["verdict"], accuracy, differ, *(_ms(each, result) for each in times)))
    return lines


def _ms(figures: Mapping[str, Any] | None, result: Mapping[str, Any]) -> str:
    return "" if figures is None else f"{1000 * figures['median_s']:.2f}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the tables into the page between their markers."""
    settings = [f"matrix.repetitions={arguments[0] if arguments else REPETITIONS}"]
    host, results = Host(), {}
    with TemporaryDirectory() as folder:
        for name in ("mobilenet", "resnet8-kernels"):
            more = ["matrix.repetitions=0"] if name == "resnet8-kernels" else settings
            results[name] = run_matrix(read_matrix(EXAMPLES / f"{name}.toml", host, more), host, Path(folder) / name)
            lost = [one for one in results[name]["variants"] if "accuracy" not in one]
            assert not lost, f"{lost[0]['name']}: {lost[0]['reason']}"
    mobilenet = results["mobilenet"]
    batch = mobilenet["batch"]
    head = ("variant", "verdict", "accuracy", "labels that differ", "ms at batch 1", f"ms at batch {batch}")
    both = ("factor", "what differs", "one", "the other")
    kernels = results["resnet8-kernels"]
    names = [one["name"] for one in kernels["variants"]]
    counts = [[str(count) for count in row] for row in kernels["differences"]]
    told = {
        "labels": table((*both, "labels that differ"), labels_table(mobilenet)),
        "times": table((*both, "slower"), times_table(mobilenet, "1")),
        "variants": table(head, variants_table(mobilenet)),
        "kernels": table(
            ("", *map(str, range(1, len(names) + 1))),
            [(f"{row} {name}", *counts[row - 1]) for row, name in enumerate(names, start=1)],
        ),
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, made in told.items():
        print(made, end="\n\n")
        before, _, rest = text.partition(f"<!-- {name} -->")
        _, _, tail = rest.partition(f"<!-- end of {name} -->")
        text = f"{before}<!-- {name} -->\n{made}\n<!-- end of {name} -->{tail}"
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
