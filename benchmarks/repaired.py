"""Searching again on repaired candidates: success, queries, time and the boundary gap, before and after.

    DLTF_DATA=… python benchmarks/repaired.py WORK [--pairs NAME …] [--seeds 200]

WORK is the folder of benchmarks/repair.py, whose campaigns (`--parts campaigns`) the heads learn from; what is there is
not run again, so that an interrupted benchmark goes on. Each head learns from the `dflare` findings of a pair; then
both strategies search the candidate as it is and repaired, on seeds in another order. The tables are printed, of all
pairs that are done by then, and written into docs/explanation/repaired.md. A pair takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bracket import _RELEASED, PairOfModels, table
from refine import written
from repair import ALL, CAP, QUANTISED, Bench, quantised

from dltf.campaign import run
from dltf.campaign.comparison import Wish, tree_of
from dltf.campaign.gap.measure import measure
from dltf.host import Host
from dltf.profile import Profile, override, read_tree
from dltf.repair.run import REPAIR, repair
from dltf.repair.settings import RepairTable, asked
from dltf.store import RunFolder, Store
from dltf.store.folder import write_json

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "repaired.md"
SEEDS = 200
GAP_SEEDS = 300
OTHER_ORDER = "campaign.seed=1"

# The paper's head learns from seeds and findings, and always takes the word; ours is as dltf repair deploys it.
HEADS: Mapping[str, Sequence[str]] = {
    "drepair": ("repair.repeats=1", "repair.hard_negatives=0", "repair.clean=0"),
    "residual": ("repair.repeats=1",),
}
CANDIDATES = {"plain": "as it is", "drepair": "the paper’s head", "residual": "residual, bounded"}
STRATEGIES = {"dflare": _RELEASED, "bracket": ("search.use=bracket",)}


class Again:
    """One pair, its heads, and what comes of searching it again."""

    def __init__(self, pair: PairOfModels, work: Path, seeds: int) -> None:
        self.pair, self.seeds = pair, seeds
        self.bench = Bench(pair, work, RepairTable(), 500)
        self.folder = work / f"{self.bench.slug}.repaired"
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def file(self) -> Path:
        return self.folder / f"result-{self.seeds}.json"

    def measure(self) -> None:
        """Write all figures, unless they are there."""
        if self.file.exists():
            return
        began = time.monotonic()
        repairs = {"plain": None} | {name: self.head(name) for name in HEADS}
        found = {name: {kind: self.search(kind, file) for kind in STRATEGIES} for name, file in repairs.items()}
        for name, figures in self.gaps(repairs).items():
            found[name]["gap"] = figures
        for name, file in repairs.items():
            found[name]["threshold"] = {} if file is None else json.loads(file.read_text())["threshold"]
        write_json(self.file, found)
        print(f"{self.pair.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    def head(self, name: str) -> Path:
        """Return the repair.json of a head, fitted to the findings of `dflare`."""
        folder = self.folder / name
        file = folder / REPAIR
        if not file.exists():
            host = Host()
            repair(
                [self.bench.run_of("dflare")], asked(host, HEADS[name], None, name), host, folder, _silent, force=True
            )
            if name == "drepair":
                write_json(file, json.loads(file.read_text()) | {"threshold": 0.0})
        return file

    def profile(self, file: Path | None, *settings: str) -> tuple[Profile, Host]:
        """Return the profile of a campaign on the candidate, repaired or as it is."""
        models = [
            str(Path(os.environ["DLTF_DATA"]) / "models" / one) for one in (self.pair.reference, self.pair.candidate)
        ]
        inputs = [f"models.reference.input.{key}" for key in self.pair.reference_input]
        inputs += [f"models.candidate.input.{key}" for key in self.pair.candidate_input]
        inputs += [] if file is None else [f"models.candidate.repair={file.absolute()}"]
        wish = Wish(*models, self.pair.seeds, count=self.seeds, queries=CAP, operators="image.dflare-released")
        host = Host()
        return read_tree(override(tree_of(wish, host), [*inputs, OTHER_ORDER, *settings]), host), host

    def search(self, kind: str, file: Path | None) -> dict[str, Any]:
        """Return what one search comes to."""
        name = "plain" if file is None else file.parent.name
        folder = RunFolder(self.folder / f"{name}.{kind}.{self.seeds}")
        profile, host = self.profile(file, *STRATEGIES[kind])
        summary = run(profile, host, folder, resume=folder.database.exists()).summary
        with Store(folder, write=False) as store:
            queries = [one for (one,) in store.query("SELECT queries FROM searched WHERE outcome = 'found'")]
        return {
            "searched": summary["searched"],
            "found": len(queries),
            "natural": summary["screened"]["natural"],
            "mean": statistics.fmean(queries) if queries else None,
            "median": statistics.median(queries) if queries else None,
            "seconds": summary["seconds"]["total"] / len(queries) if queries else None,
            "severity": summary["severity"]["median"],
        }

    def gaps(self, repairs: Mapping[str, Path | None]) -> dict[str, Any]:
        """Return the boundary gaps of all candidates, on the same lines."""
        count = f"seeds.count={GAP_SEEDS}"
        profiles = [self.profile(file, "search.max_queries=0", count)[0] for file in repairs.values()]
        found = measure(profiles, list(repairs))
        return {
            one.name: {"mean": one.figures.get("mean"), "interval": one.figures.get("interval")}
            for one in found.candidates
        }


def _silent(what: str, done: int, total: int) -> None:
    pass


# --- tables ------------------------------------------------------------------------------------------------------


def searches(done: Mapping[str, Any], kind: str) -> str:
    """Return the table of one strategy, in the form of the paper's: success, time and queries, before and after."""
    head = ("pair", "candidate", "found", "queries: mean", "median", "ms a finding", "natural", "severity, median")
    rows = []
    for pair, candidates in done.items():
        for name, figures in candidates.items():
            told = figures[kind]
            seconds = None if told["seconds"] is None else told["seconds"] * 1000
            shown = [_number(one) for one in (told["mean"], told["median"], seconds)]
            share = f"{told['found']} of {told['searched']} ({told['found'] / max(told['searched'], 1):.1%})"
            rows.append((pair, CANDIDATES[name], share, *shown, str(told["natural"]), _number(told["severity"])))
    return table(head, rows)


def gap_table(done: Mapping[str, Any]) -> str:
    """Return the gaps, with their intervals."""
    head = ("pair", *(f"gap {name}" for name in CANDIDATES.values()), "the head takes the word from")
    rows = []
    for pair, candidates in done.items():
        cells = [_bounded(candidates[name]["gap"]) for name in CANDIDATES]
        rows.append((pair, *cells, _from(candidates["residual"]["threshold"])))
    return table(head, rows)


def _from(threshold: float) -> str:
    return "never" if threshold > 1 else f"{threshold:.3f}"


def _bounded(told: Mapping[str, Any]) -> str:
    if told["mean"] is None:
        return "–"
    low, high = told["interval"]
    return f"{_number(told['mean'])} [{_number(low)}, {_number(high)}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def ratios(done: Mapping[str, Any]) -> Iterator[str]:
    """Yield what repairing changes, over all pairs, in a sentence each."""
    for name in HEADS:
        for kind in STRATEGIES:
            pairs = [(one["plain"][kind], one[name][kind]) for one in done.values()]
            more = [after["mean"] / before["mean"] for before, after in pairs if before["mean"] and after["mean"]]
            harder = sum(ratio > 1 for ratio in more)
            times = statistics.geometric_mean(more)
            yield (
                f"- {kind}, {CANDIDATES[name]}: mean queries to a finding are {times:.2f} times those before "
                f"(geometric mean), more on {harder} of {len(more)} pairs."
            )
        gaps = [(one["plain"]["gap"]["mean"], one[name]["gap"]["mean"]) for one in done.values()]
        times = [after / before for before, after in gaps if before and after]
        yield (
            f"- the gap, {CANDIDATES[name]}: {statistics.geometric_mean(times):.2f} times that before, wider on "
            f"{sum(ratio > 1 for ratio in times)} of {len(times)} pairs."
        )


def main(command_line: Sequence[str] | None = None) -> None:
    """Measure the pairs, print, and write the tables into the page between their markers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="the folder of benchmarks/repair.py")
    parser.add_argument("--pairs", nargs="+", default=[], help="pairs whose names have one of these words")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--tables", action="store_true", help="print what is there, and measure nothing")
    wanted = parser.parse_args(command_line)
    made = [quantised(pair, wanted.work) if pair in QUANTISED and not wanted.tables else pair for pair in ALL]
    all_pairs = [Again(pair, wanted.work, wanted.seeds) for pair in made]
    for one in all_pairs:
        if not wanted.tables and (not wanted.pairs or any(word in one.pair.name for word in wanted.pairs)):
            one.measure()
    done = {one.pair.name: json.loads(one.file.read_text()) for one in all_pairs if one.file.exists()}
    told = {
        "seeds": f"{wanted.seeds} seeds, at most {CAP:,} queries each; gaps on lines of {GAP_SEEDS} seeds",
        "ratios": "\n".join(ratios(done)),
        **{kind: searches(done, kind) for kind in STRATEGIES},
        "gaps": gap_table(done),
    }
    if PAGE.exists():
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")
    print(*told.values(), sep="\n\n")


if __name__ == "__main__":
    main()
