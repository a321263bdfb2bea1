"""Run every benchmark and write docs/explanation/benchmarks.md: `DLTF_DATA=… python benchmarks/page.py`."""

from __future__ import annotations

import platform
from pathlib import Path

import overhead
import published_pairs

from dltf.campaign.environment import environment
from dltf.host import Host

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "benchmarks.md"

TEXT = """# Benchmarks

Written by `python benchmarks/page.py`; change nothing here by hand. Absolute times mean little on a shared machine:
compare ratios, and rows of one table. Made on {machine}, Python {python}.

Other pages have figures of their own, each with the command that makes them: [bracket against DFlare](bracket.md),
[shrinking and amplifying](refine.md), [the boundary gap](gap.md), [severity](severity.md).

## DFlare on published pairs

`python benchmarks/published_pairs.py`, with the profiles of `examples/dflare`. The last column is the authors'
release, run unmodified on the same models (see [DFlare, paper and release](dflare.md)). A success rate counts the seeds
on which both variants agree; a budget that runs out counts as a failure.

{pairs}

## The engine's overhead

`python benchmarks/overhead.py`. Overhead is 1 − (time to replay the recorded batches through the two runners, with the
same concurrency) ÷ (time of the search): what the search costs beyond inference. Confirming a finding, its file form
and its distances are part of it. Median over the repeats, with the range in brackets.

{overhead}
"""


def main() -> None:
    """Write the page."""
    facts = environment(Host())
    pairs = "\n".join(published_pairs.table(published_pairs.campaign_seeds_of([])))
    costs = "\n".join(overhead.table(overhead.arguments_of([])))
    machine = f"{facts['cores']} cores of {facts['processor']}, {facts['system'].split()[0]}"
    PAGE.write_text(TEXT.format(machine=machine, python=platform.python_version(), pairs=pairs, overhead=costs))
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
