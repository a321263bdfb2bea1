"""False alarms and power of the matrix's timing, on this machine as it is now.

    DLTF_DATA=… python benchmarks/timing.py [--comparisons 200] [--planted 0.05 0.01 0.005] [--rounds 30]

A product of matrices (about 1 ms), and a small network in ONNX Runtime at batch 1 and 64 where DLTF_DATA is set, are
each timed beside themselves, as two variants of one name. Alarms are what a test at 5 % says of equal variants before
any correction: of one variant against the other, and of the first one's first turns against its second. Then every
time of the second is made longer by a planted share: how often that is claimed, and how often its power says it is.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from dltf.matrix.claims import against_itself, claims, power_of
from dltf.matrix.statistics import LEVEL
from dltf.matrix.timing import Timings, measure

MODEL = Path("models/zoo/mnist-cnn.onnx")
HEAD = ("timed", "median", "alarms, two alike", "alarms, against itself", "smallest detectable")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--planted", type=float, nargs="+", default=[0.05, 0.01, 0.005])
    parser.add_argument("--rounds", type=int, default=30)
    wish = parser.parse_args()
    print(f"{wish.comparisons} comparisons of {wish.rounds} rounds\n")
    head = (*HEAD, *(f"{share:.1%} found (power)" for share in wish.planted))
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, run in workloads():
        timed = [measure({"a": run, "b": run}, wish.rounds, seed=seed) for seed in range(wish.comparisons)]
        print(f"| {' | '.join([name, *row(timed, wish.planted)])} |", flush=True)


def workloads() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is timed."""
    rng = np.random.default_rng(0)
    square = rng.random((280, 280), dtype=np.float32)
    yield "product of matrices", lambda: square @ square @ square @ square
    if "DLTF_DATA" not in os.environ:
        print("(set DLTF_DATA to time a network too)")
        return
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(Path(os.environ["DLTF_DATA"]) / MODEL, options)
    spec = session.get_inputs()[0]
    for batch in (1, 64):
        pictures = {spec.name: rng.random((batch, *spec.shape[1:]), dtype=np.float32)}
        yield f"mnist-cnn, batch {batch}", lambda pictures=pictures: session.run(None, pictures)  # type: ignore[misc]


def row(timed: Sequence[Timings], planted: Sequence[float]) -> Iterator[str]:
    """Yield the cells of one row."""
    equal = [claims({1: one}, "a")[0] for one in timed]
    least = [np.inf if one.smallest_detectable is None else one.smallest_detectable for one in equal]
    powers = [power_of(one.seconds["a"], one.seconds["b"]) for one in timed]
    yield f"{1e3 * np.median([np.median(one.seconds['a']) for one in timed]):.3g} ms"
    yield f"{sum(one.p <= LEVEL for one in equal)} (claimed: {sum(one.claimed for one in equal)})"
    yield str(sum(against_itself(one.seconds["a"]).p <= LEVEL for one in timed))
    yield f"{np.median(least):.1%}"
    for share in planted:
        found = [claims({1: slower(one, share)}, "a")[0].claimed for one in timed]
        yield f"{np.mean(found):.1%} ({np.mean([power.of(share) for power in powers]):.1%})"


def slower(timed: Timings, share: float) -> Timings:
    """Return the same times, the second variant's longer by a share."""
    return Timings({"a": timed.seconds["a"], "b": timed.seconds["b"] * (1 + share)})


if __name__ == "__main__":
    main()
