"""What shrinking and amplifying make of findings, and what they make of a faulty candidate's beside a sound one's.

`DLTF_DATA=… python benchmarks/refine.py [SEEDS]` prints the tables and writes them into docs/explanation/refine.md.
500 seeds take a quarter of an hour on two cores.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from bracket import PAIRS, PairOfModels, table

from dltf.campaign import run
from dltf.campaign.comparison import Wish, tree_of
from dltf.campaign.gap.measure import measure
from dltf.host import Host
from dltf.profile import Profile, override, read_tree
from dltf.store import RunFolder, Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "refine.md"
SEEDS = 500
RESAMPLES = 2000
PERCENTILES = (50, 95, 100)
SHRUNK, AMPLIFIED = "shrink.queries=200", "amplify.queries=100"
STRATEGIES: Mapping[str, Sequence[str]] = {
    "bracket": (),
    "dflare": ("search.use=dflare", "search.fitness=released", "search.selection=released"),
}
LENET5, RESNET20, RESNET8 = PAIRS[:3]
FAULTS: Sequence[tuple[PairOfModels, Mapping[str, Sequence[str]]]] = (
    (LENET5, {"range [-1, 1] for [0, 1]": ("range=[-1,1]",), "range [0, 2] for [0, 1]": ("range=[0,2]",)}),
    (
        RESNET20,
        {
            "BGR for RGB": ("colour=BGR",),
            "range [-1, 1] for mean and deviation": ("range=[-1,1]", "mean=[0,0,0]", "std=[1,1,1]"),
        },
    ),
    (RESNET8, {"BGR for RGB": ("colour=BGR",), "range [0, 128] for [0, 255]": ("range=[0,128]",)}),
)


@frozen(eq=False)
class Findings:
    """Figures of findings, one a row: as the search left them, and after both phases; NaN where there is none."""

    distance: NDArray[np.float64]  # [n, 2], as found and shrunk, to the seed
    severity: NDArray[np.float64]  # [m, 2], as found and amplified, natural ones among them
    natural: NDArray[np.float64]  # severities of the natural ones, as found
    summary: Mapping[str, Any]


def profile_of(pair: PairOfModels, seeds: int, *settings: str) -> tuple[Profile, Host]:
    """Return the profile of a campaign on this pair."""
    models = [str(Path(os.environ["DLTF_DATA"]) / "models" / name) for name in (pair.reference, pair.candidate)]
    host = Host()
    inputs = [f"models.reference.input.{key}" for key in pair.reference_input]
    inputs += [f"models.candidate.input.{key}" for key in pair.candidate_input]
    wish = Wish(*models, pair.seeds, count=seeds, queries=10_000, operators="image.dflare-released")
    return read_tree(override(tree_of(wish, host), [*inputs, *settings]), host), host


def campaign(pair: PairOfModels, seeds: int, *settings: str) -> Findings:
    """Search, shrink and amplify as the settings say."""
    profile, host = profile_of(pair, seeds, *settings)
    with TemporaryDirectory() as folder:
        outcome = run(profile, host, RunFolder(Path(folder) / "run"))
        with Store(outcome.folder, write=False) as store:
            return Findings(
                pairs_of(store, "shrink", "distances"), pairs_of(store, "amplify"), natural(store), outcome.summary
            )


def pairs_of(store: Store, phase: str, figure: str = "") -> NDArray[np.float64]:
    """Return severities, or the rms of the distances, before and after a phase."""
    columns = [
        f"{table}.{figure}" if figure else f"min({table}.reference_margin, {table}.candidate_margin)" for table in "fd"
    ]
    rows = store.query(
        f"""SELECT {", ".join(columns)} FROM derived d JOIN findings f USING ("case") WHERE d.phase = '{phase}'"""
    )
    values = [[json.loads(value)["rms"] if figure else value for value in row] for row in rows]
    return np.array(values, dtype=np.float64).reshape(-1, 2)


def natural(store: Store) -> NDArray[np.float64]:
    """Return the severities of the seeds on which the variants differ."""
    rows = store.query("SELECT min(reference_margin, candidate_margin) FROM findings WHERE phase != 'search'")
    return np.array([value for (value,) in rows if value is not None], dtype=np.float64)


def interval(pairs: NDArray[np.float64]) -> str:
    """Return the ratio of the medians, after to before, with a 95 % bootstrap interval over findings."""
    drawn = np.random.default_rng(0).integers(len(pairs), size=(RESAMPLES, len(pairs)))
    before, after = (np.median(pairs[drawn, column], axis=1) for column in (0, 1))
    low, high = np.percentile(after / before, [2.5, 97.5])
    ratio = np.median(pairs[:, 1]) / np.median(pairs[:, 0])
    return f"{ratio:.2f} [{low:.2f}, {high:.2f}]"


def refined_rows(seeds: int) -> Iterator[tuple[PairOfModels, str, Findings]]:
    """Take the findings of each strategy on each pair through both phases."""
    for pair in PAIRS[:3]:
        for strategy, settings in STRATEGIES.items():
            yield pair, strategy, campaign(pair, seeds, *settings, SHRUNK, AMPLIFIED)


def shrunk_row(pair: PairOfModels, strategy: str, found: Findings) -> tuple[str, ...]:
    """Return a row of the table of distances."""
    told = found.summary["shrink"]
    before, after = np.median(found.distance, axis=0)
    return (
        pair.name,
        strategy,
        str(told["findings"]),
        f"{before:.1f}",
        f"{after:.1f}",
        interval(found.distance),
        f"{np.mean(found.distance[:, 1] <= found.distance[:, 0]):.0%}",
        f"{told['improved'] / told['findings']:.0%}",
        str(told["unconfirmed"]),
        f"{told['queries'] / told['findings']:.0f}",
    )


def amplified_row(pair: PairOfModels, strategy: str, found: Findings) -> tuple[str, ...]:
    """Return a row of the table of severities."""
    told = found.summary["amplify"]
    cells: list[str] = []
    for percent in PERCENTILES:
        before, after = np.percentile(found.severity, percent, axis=0)
        cells += [f"{before:.3f}", f"{after:.3f}", f"{after / before:.1f}"]
    return pair.name, strategy, str(told["findings"]), *cells, interval(found.severity), str(told["unconfirmed"])


def faulty_rows(seeds: int, sound: Mapping[str, Findings]) -> Iterator[tuple[str, ...]]:
    """Amplify what `bracket` finds on faulty candidates, beside the sound one of the same pair."""
    for pair, faults in FAULTS:
        first = figures(sound[pair.name], gap(pair, seeds))
        yield pair.name, "sound", *(beside(value, 0.0) for value in first)
        for name, keys in faults.items():
            settings = [f"models.candidate.input.{key}" for key in keys]
            now = figures(campaign(pair, seeds, *settings, AMPLIFIED), gap(pair, seeds, *settings))
            yield pair.name, name, *(beside(value, of) for value, of in zip(now, first, strict=True))


def beside(value: float, of: float) -> str:
    """Return a figure, and how many times the sound candidate's it is."""
    if np.isnan(value):
        return "–"
    return f"{value:.3g} ({value / of:.1f} ×)" if of > 0 else f"{value:.3g}"


def gap(pair: PairOfModels, seeds: int, *settings: str) -> float:
    """Return the mean boundary gap."""
    profile, _ = profile_of(pair, seeds, *settings)
    return float(measure([profile], ["candidate"]).candidates[0].figures["mean"])


def figures(found: Findings, gap: float) -> list[float]:
    """Return what may tell a faulty candidate from a sound one."""
    seeds = found.summary["screened"]["seeds"]
    as_found = [float(np.percentile(found.natural, at)) if len(found.natural) else np.nan for at in PERCENTILES]
    amplified = [float(np.percentile(found.severity[:, 1], at)) for at in PERCENTILES]
    return [len(found.natural) / seeds, gap, float(found.natural.sum()) / seeds, *as_found, *amplified]


SHRUNK_HEAD = (
    *("pair", "findings of", "number", "rms before", "after", "ratio [95 %]", "confirmed, none farther", "nearer"),
    *("steps that did not hold alone", "queries, mean"),
)
AMPLIFIED_HEAD = (
    *("pair", "findings of", "number", "median before", "after", "times", "95th percentile before", "after", "times"),
    *("worst before", "after", "times", "ratio of medians [95 %]", "steps that did not hold alone"),
)
FAULTY_HEAD = (
    *("pair", "candidate", "natural rate", "gap, mean", "natural severity a seed"),
    *("of natural findings: median", "95th percentile", "worst", "amplified: median", "95th percentile", "worst"),
)


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the tables into the page between their markers."""
    seeds = int(arguments[0]) if arguments else SEEDS
    shrunk, amplified, sound = [], [], {}
    for pair, strategy, found in refined_rows(seeds):
        shrunk.append(shrunk_row(pair, strategy, found))
        amplified.append(amplified_row(pair, strategy, found))
        print(shrunk[-1], amplified[-1], flush=True)
        if strategy == "bracket":
            sound[pair.name] = found
    faulty = []
    for row in faulty_rows(seeds, sound):
        faulty.append(row)
        print(row, flush=True)
    told = {
        "seeds": f"{seeds} seeds",
        "shrunk": table(SHRUNK_HEAD, shrunk),
        "amplified": table(AMPLIFIED_HEAD, amplified),
        "faulty": table(FAULTY_HEAD, faulty),
    }
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")
    print(*told.values(), sep="\n\n")


def written(page: str, told: Mapping[str, str]) -> str:
    """Return the page with these texts between their markers."""
    for name, made in told.items():
        head, _, rest = page.partition(f"<!-- {name} -->")
        _, _, tail = rest.partition(f"<!-- end of {name} -->")
        page = f"{head}<!-- {name} -->\n{made}\n<!-- end of {name} -->{tail}"
    return page


if __name__ == "__main__":
    main(sys.argv[1:])
