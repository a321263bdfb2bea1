"""Exact separation: time, memory and equality, beside scikit-learn where it is installed.

    DLTF_DATA=… python benchmarks/separation.py [--points 60000] [--width 32] [--norms l2 l1 linf] [--threads 2]

Codes are ten clouds of normal numbers, or those of a file (--codes); where DLTF_DATA is set, the pictures of MNIST are
measured in pixels, too, in linf (published: 188/255 within the training set, 207/255 from the test set to it). Each row
runs in a process of its own; memory is its peak, less what it held before. scikit-learn's NearestNeighbors(algorithm=
"brute") has one index a label and is asked for one neighbour; where its distance is not the same, the difference is
what the row says.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from dltf.feature.nearest import distances_to_others
from dltf.feature.norms import NORMS
from dltf.feature.separation import closest, separation

LABELS = 10
METRICS = {"l1": "manhattan", "l2": "euclidean", "linf": "chebyshev"}
HEAD = ("measured", "seconds", "peak memory", "least distance", "scikit-learn", "ratio", "largest difference")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=60_000)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--norms", nargs="+", default=["l2", "linf", "l1"], choices=NORMS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--codes", type=Path, help="float [n, k], in the order of the labels of MNIST's training set")
    parser.add_argument("--no-peer", action="store_true", help="leave scikit-learn out")
    parser.add_argument("--no-pixels", action="store_true", help="leave MNIST out")
    wish = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {wish.threads} threads\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for norm in wish.norms:
        told = apart(ours, wish.points, wish.width, wish.codes, norm, wish.threads)
        peer = ("–", "–", "–") if wish.no_peer else beside(wish, norm, told)
        show(f"codes {told['shape']}, {norm}", told, peer)
    if "DLTF_DATA" in os.environ and not wish.no_pixels:
        for name in ("train – train", "test – train", "train – train, the least alone"):
            told = apart(pixels, name, wish.threads)
            show(f"MNIST pixels, {name}, linf", told, ("–", "–", "–"))


def show(name: str, told: dict[str, Any], peer: tuple[str, ...]) -> None:
    row = (name, f"{told['seconds']:.1f}", f"{told['memory'] / 1e6:.0f} MB", f"{told['least']:.6g}", *peer)
    print(f"| {' | '.join(row)} |", flush=True)


def apart(measure: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """Run in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *given).result()


def clouds(points: int, width: int, codes: Path | None) -> tuple[Any, list[int]]:
    """Return codes and labels."""
    if codes is not None:
        with np.load(Path(os.environ["DLTF_DATA"]) / "mnist.npz") as arrays:
            return np.load(codes), arrays["y_train"].tolist()
    rng = np.random.default_rng(0)
    labels = np.arange(points) % LABELS
    return rng.normal(size=(points, width)) + 0.7 * rng.normal(size=(LABELS, width))[labels], labels.tolist()


def ours(points: int, width: int, file: Path | None, norm: Any, threads: int) -> dict[str, Any]:
    codes, labels = clouds(points, width, file)
    before, began = peak(), time.perf_counter()
    found = separation(codes, labels, norm, threads=threads)
    return {
        "seconds": time.perf_counter() - began,
        "memory": peak() - before,
        "least": found.deltas.min(),
        "deltas": found.deltas,
        "shape": f"{len(codes):,} × {codes.shape[1]}",
    }


def beside(wish: argparse.Namespace, norm: str, told: dict[str, Any]) -> tuple[str, ...]:
    """Return what scikit-learn takes, and how far its distances are from ours."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return "not installed", "–", "–"
    peer = apart(theirs, wish.points, wish.width, wish.codes, norm)
    gap = float(np.abs(peer["deltas"] - told["deltas"]).max())
    ratio = f"{peer['seconds'] / told['seconds']:.1f} times as long"
    return f"{peer['seconds']:.1f} s, {peer['memory'] / 1e6:.0f} MB", ratio, "equal" if gap == 0 else f"{gap:.1e}"


def theirs(points: int, width: int, file: Path | None, norm: str) -> dict[str, Any]:
    from sklearn.neighbors import NearestNeighbors

    codes, labels = clouds(points, width, file)
    mine = np.array(labels)
    before, began = peak(), time.perf_counter()
    deltas = np.full(len(codes), np.inf)
    for label in np.unique(mine):
        index = NearestNeighbors(n_neighbors=1, algorithm="brute", metric=METRICS[norm], n_jobs=-1)
        index.fit(codes[mine == label])
        found = index.kneighbors(codes[mine != label])[0][:, 0]
        deltas[mine != label] = np.minimum(deltas[mine != label], found)
    return {"seconds": time.perf_counter() - began, "memory": peak() - before, "deltas": deltas}


def pixels(name: str, threads: int) -> dict[str, Any]:
    with np.load(Path(os.environ["DLTF_DATA"]) / "mnist.npz") as arrays:
        train, labels = arrays["x_train"], arrays["y_train"].tolist()
        test, test_labels = arrays["x_test"], arrays["y_test"].tolist()
    before, began = peak(), time.perf_counter()
    if name.startswith("test"):
        least = distances_to_others(test, test_labels, train, labels, "linf", threads=threads)[0].min()
    elif name.endswith("alone"):
        least = closest(train, labels, train, labels, "linf", threads=threads)
    else:
        least = separation(train, labels, "linf", threads=threads).deltas.min()
    return {"seconds": time.perf_counter() - began, "memory": peak() - before, "least": least}


def peak() -> int:
    """Return the most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
