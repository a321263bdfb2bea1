"""How near to the nearest other answer shrinking comes: LeNet-5, whose gradients are known here and nowhere else.

`DLTF_DATA=… python benchmarks/white_box.py [SEEDS]` writes its table into docs/explanation/refine.md. It needs PyTorch,
and takes five minutes on one core with 500 seeds. The distance to an other answer of the float network is made small by
DDN (Rony et al., 2019), once from the seed and once from the finding: 400 steps each, real numbers, no rounding.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from bracket import table
from refine import LENET5, PAGE, SEEDS, SHRUNK, STRATEGIES, profile_of, written

from dltf.campaign import run
from dltf.store import RunFolder, Store

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "torch"))
from from_onnx import Network, rebuild  # an example, no package

STEPS = 400
HEAD = ("findings of", "rms as found", "shrunk", "nearest known", "as found ÷ nearest", "shrunk ÷ nearest")


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the table into the page."""
    seeds = int(arguments[0]) if arguments else SEEDS
    torch.set_num_threads(1)
    network = rebuild(Path(os.environ["DLTF_DATA"]) / "models" / LENET5.reference)
    rows = []
    for strategy, settings in STRATEGIES.items():
        starts, found, distances = findings(seeds, *settings)
        least = np.minimum(nearest(network, starts, starts), nearest(network, starts, found))
        before, after = distances.T
        ratios = (f"{np.median(value / least):.2f}" for value in (before, after))
        rows.append((strategy, *(f"{np.median(value):.1f}" for value in (before, after, least)), *ratios))
        print(rows[-1], flush=True)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), {"white box": table(HEAD, rows)}), encoding="utf-8")


def findings(seeds: int, *settings: str) -> tuple[Any, Any, Any]:
    """Return seeds and findings as grey levels [n, 28, 28, 1], and the rms of both distances [n, 2]."""
    profile, host = profile_of(LENET5, seeds, *settings, SHRUNK)
    decode = profile.domain.codec.decode
    with TemporaryDirectory() as folder:
        outcome = run(profile, host, RunFolder(Path(folder) / "run"))
        with Store(outcome.folder, write=False) as store:
            cases = sorted(store.derived_cases("shrink"))
            told = [store.finding(case) for case in cases]
            after = [store.derived(case)["shrink"].distances["rms"] for case in cases]
    samples = (np.stack([decode(data) for data in of]) for of in ([f.seed for f in told], [f.sample for f in told]))
    return *samples, np.array([[finding.distances["rms"], rms] for finding, rms in zip(told, after, strict=True)])


def nearest(network: Network, seeds: Any, starts: Any) -> Any:
    """Return the least rms distance seen, in grey levels, at which the network answers otherwise; or infinity."""
    inputs, change = (torch.tensor(of / 255.0, dtype=torch.float32) for of in (seeds, starts))
    change -= inputs
    score = logits_of(network)
    own = score(inputs).argmax(1, keepdim=True)
    best = torch.full((len(inputs),), torch.inf)
    radius = torch.where(size(change) > 0, size(change), torch.tensor(1.0))
    for step in range(STEPS):
        cooling = 0.5 * (1 + np.cos(np.pi * step / STEPS))
        change = change.detach().requires_grad_(True)
        scores = score(inputs + change)
        lead = scores.gather(1, own)[:, 0] - scores.scatter(1, own, -torch.inf).max(1)[0]
        (slope,) = torch.autograd.grad(lead.sum(), change)
        with torch.no_grad():
            other, far = lead < 0, size(change)
            best = torch.where(other, torch.minimum(best, far), best)
            rate = 0.05 * cooling + 1e-4
            radius = torch.where(other, torch.minimum(far, best) * (1 - rate), radius * (1 + rate))
            moved = change - (0.05 + 0.45 * cooling) * over(1 / size(slope).clamp_min(1e-12)) * slope
            moved = moved * over(radius / size(moved).clamp_min(1e-9))
            change = (inputs + moved).clamp(0, 1) - inputs
            radius = torch.minimum(radius, 1.5 * size(change) + 0.1)
    return best.numpy() * 255 / np.sqrt(inputs[0].numel())


def logits_of(network: Network) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the network without its last node, a softmax: its slopes vanish where it is sure."""
    *order, last = network.order

    def logits(inputs: torch.Tensor) -> torch.Tensor:
        values = {network.fed[0]: inputs}
        for name in order:
            node = network.get_submodule(name)
            values[node.output] = node(*(values[key] for key in node.moving()))
        return values[network.get_submodule(last).inputs[0]]

    return logits


def size(changes: torch.Tensor) -> torch.Tensor:
    return changes.flatten(1).norm(dim=1)


def over(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None]


if __name__ == "__main__":
    main(sys.argv[1:])
