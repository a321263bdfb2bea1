"""DFlare as re-implemented here, on published pairs, beside what its authors' release was measured to do.

    DLTF_DATA=… python benchmarks/published_pairs.py [--seeds 0 1 2]

Runs the profiles of examples/dflare once for each campaign seed (200 test images, at most 10,000 queries each) and
prints success, queries and distance; in brackets the 95 % bootstrap interval of the median over all found seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dltf.campaign import run
from dltf.host import Host
from dltf.profile import read_profile
from dltf.store import RunFolder, Store

EXAMPLES = Path(__file__).parents[1] / "examples" / "dflare"

# The authors' release, run unmodified on the same pairs: found of 200, median queries, mean queries.
RELEASE = {"lenet5": "200 of 200, median 102, mean 718", "resnet20": "200 of 200, median 22.5, mean 32.8"}


def measure(name: str, campaign_seeds: Sequence[int]) -> tuple[int, int, list[int], list[float]]:
    """Return the searched cases, the found ones, the queries to each finding and its distance, over all seeds."""
    searched, queries, distances = 0, [], []
    for seed in campaign_seeds:
        host = Host()
        profile = read_profile(EXAMPLES / f"{name}.toml", host, [f"campaign.seed={seed}"])
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(profile, host, RunFolder(Path(folder) / "run"))
            with Store(outcome.folder, write=False) as store:
                rows = store.query("SELECT queries, distances FROM findings WHERE phase = 'search'")
        searched += outcome.summary["searched"]
        queries += [count for count, _ in rows]
        distances += [json.loads(text)["rms"] for _, text in rows]
    return searched, len(queries), queries, distances


def interval(values: Sequence[float]) -> str:
    """Return the median with its bootstrap interval."""
    rng = np.random.default_rng(0)
    resampled = np.median(rng.choice(np.asarray(values, dtype=float), (2000, len(values))), axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return f"{statistics.median(values):g} [{low:g}, {high:g}]"


def table(campaign_seeds: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    numbers = ", ".join(map(str, campaign_seeds))
    yield f"Campaign seeds {numbers}; 200 test images each, at most 10,000 queries an image."
    yield ""
    yield "| pair | settings | found | median queries | mean · most queries | mean rms to the seed | the release |"
    yield "|---|---|---|---|---|---|---|"
    for pair in ("lenet5", "resnet20"):
        for settings in ("released", "paper"):
            name = pair if settings == "released" else f"{pair}-paper"
            searched, found, queries, distances = measure(name, campaign_seeds)
            yield (
                f"| {pair} | {settings} | {found} of {searched} ({found / searched:.1%}) | {interval(queries)} "
                f"| {statistics.fmean(queries):.1f} · {max(queries):,} | {statistics.fmean(distances):.1f} "
                f"| {RELEASE[pair] if settings == 'released' else '–'} |"
            )


def campaign_seeds_of(command_line: Sequence[str] | None = None) -> list[int]:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="campaign seeds (default: 0 1 2)")
    seeds: list[int] = parser.parse_args(command_line).seeds
    return seeds


if __name__ == "__main__":
    for line in table(campaign_seeds_of()):
        print(line, flush=True)
