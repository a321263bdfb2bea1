"""Queries per second, and the engine's overhead, for real pairs and strategies.

    DLTF_DATA=… python benchmarks/overhead.py [--seeds 200] [--max-queries 1000] [--repeat 3]

Overhead is 1 − (time to replay the recorded batches through the two runners, with the same concurrency) ÷ (time of
the search). What the two runners were fed is recorded during the search and replayed right after it, so both times
come from one run on one machine; the figures are ratios, and the median over repeats is shown with its range. DFlare's
settings are those of the authors' release.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
from attrs import define, field, frozen
from numpy.typing import NDArray

from dltf.campaign.hunt import hunt
from dltf.campaign.opening import make_pair, open_seeds, settle
from dltf.campaign.screen import screen
from dltf.host import Host
from dltf.profile import Profile, Tree, read_tree
from dltf.search.pair import HANDOVER_S, Pair
from dltf.store import RunFolder, Store

Batch = Mapping[str, NDArray[Any]]

CIFAR = {"range": [0.0, 255.0], "mean": [125.307, 122.95, 113.865], "std": [62.9932, 62.0887, 66.7048]}
PAIRS: dict[str, dict[str, Any]] = {
    "lenet5": {"seeds": "image.mnist", "files": ("lenet5.onnx", "lenet5-quan.lite"), "input": {}},
    "resnet20": {"seeds": "image.cifar10_jpeg", "files": ("resnet.onnx", "resnet-quan.lite"), "input": CIFAR},
}
STRATEGIES: dict[str, dict[str, Any]] = {
    "random": {"use": "random"},
    "dflare": {"use": "dflare", "fitness": "released", "selection": "released"},
}


def profile_of(pair: str, strategy: str, arguments: argparse.Namespace, host: Host) -> Profile:
    """Return the profile of one row."""
    row = PAIRS[pair]
    models = {
        role: {"backend": backend, "file": f"${{DLTF_DATA}}/models/dflare/{file}", "input": row["input"]}
        for role, backend, file in zip(("reference", "candidate"), ("onnxruntime", "tflite"), row["files"], strict=True)
    }
    tables = {
        "campaign": {"name": f"{pair}-{strategy}", "domain": "image"},
        "seeds": {"use": row["seeds"], "count": arguments.seeds},
        "models": models,
        "search": STRATEGIES[strategy] | {"max_queries": arguments.max_queries},
        "operators": [{"preset": "image.dflare-released"}],
    }
    return read_tree(Tree(tables), host)


@define
class Recorder:
    """A backend that records what its runners are fed."""

    backend: Any
    batches: list[Batch] = field(factory=list)
    runner: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def open(self, file: Path, target: str) -> _Recording:
        self.runner = self.backend.open(file, target)
        return _Recording(self.runner, self.batches)


class _Recording:
    def __init__(self, runner: Any, batches: list[Batch]) -> None:
        self._runner = runner
        self._batches = batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def __enter__(self) -> _Recording:
        self._runner.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.__exit__(*error)

    def run(self, inputs: Batch) -> Batch:
        self._batches.append(dict(inputs))
        result: Batch = self._runner.run(inputs)
        return result


@frozen
class Measured:
    """One search and its replay."""

    queries: int
    found: int
    search_s: float
    replay_s: float

    @property
    def overhead(self) -> float:
        return 1 - self.replay_s / self.search_s


def measure(profile: Profile) -> Measured:
    """Search once, recording, and replay what was recorded."""
    recorders = [Recorder(variant.backend) for variant in (profile.reference, profile.candidate)]
    profile = attrs.evolve(
        profile,
        reference=attrs.evolve(profile.reference, backend=recorders[0]),
        candidate=attrs.evolve(profile.candidate, backend=recorders[1]),
    )
    seeds, cases = open_seeds(profile)
    with tempfile.TemporaryDirectory() as folder, make_pair(profile) as pair:
        opened = settle(profile, pair, seeds, cases)
        with Store(RunFolder(Path(folder)), write=True) as store:
            screen(opened, profile.domain, store, lambda _: None, lambda _: None)
            for recorder in recorders:
                recorder.batches.clear()
            began = time.perf_counter()
            hunt(profile, opened, store, lambda _: None, lambda *_: None)
            search_s = time.perf_counter() - began
            queries, found = store.query("SELECT sum(queries), sum(outcome = 'found') FROM searched")[0]
        replay_s = replay(pair, recorders)
    return Measured(queries, found, search_s, replay_s)


def replay(pair: Pair, recorders: Sequence[Recorder]) -> float:
    """Feed both runners what they were fed, at the same time where the engine does so."""
    ours, theirs = (recorder.runner for recorder in recorders)
    quickest_s = 1.0
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as beside:
        for one, other in zip(*(recorder.batches for recorder in recorders), strict=True):
            count = len(next(iter(one.values())))
            if pair.concurrent and quickest_s * count >= HANDOVER_S:
                future = beside.submit(_timed, theirs, other)
                times = _timed(ours, one), future.result()
            else:
                times = _timed(ours, one), _timed(theirs, other)
            quickest_s = min(times) / count
    return time.perf_counter() - began


def _timed(runner: Any, batch: Batch) -> float:
    began = time.perf_counter()
    runner.run(batch)
    return time.perf_counter() - began


def _spread(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


def table(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of a Markdown table: one row for each pair and strategy."""
    host = Host()
    yield f"{arguments.seeds} seeds, at most {arguments.max_queries} queries a seed, {arguments.repeat} repeats."
    yield ""
    yield "| pair | strategy | found | queries | queries a second | overhead |"
    yield "|---|---|---|---|---|---|"
    for pair in PAIRS:
        for strategy in STRATEGIES:
            profile = profile_of(pair, strategy, arguments, host)
            runs = [measure(profile) for _ in range(arguments.repeat)]
            rates = _spread([run.queries / run.search_s for run in runs], ",.0f")
            overheads = _spread([run.overhead for run in runs], ".0%")
            yield f"| {pair} | {strategy} | {runs[0].found} | {runs[0].queries:,} | {rates} | {overheads} |"


def arguments_of(command_line: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200, help="seeds to screen (default: %(default)s)")
    parser.add_argument("--max-queries", type=int, default=1000, help="queries a seed (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="searches of each row (default: %(default)s)")
    return parser.parse_args(command_line)


if __name__ == "__main__":
    for line in table(arguments_of()):
        print(line, flush=True)
