"""The boundary gap as a measure of how far apart two networks are, beside DFlare's mean queries.

    DLTF_DATA=… python benchmarks/gap.py [--networks lenet5 digits resnet20] [--paths 300] [--seeds 60] [--keep FILE]

From each network, candidates are made: a share of 10 … 50 % of the weights is changed by ±10 %, four draws of each.
For each candidate: its gap, the mean queries of DFlare (as released; an exhausted budget counts as spent), and the rate
at which strongly mutated inputs are answered differently, which is what both are to tell. Writes
docs/explanation/gap.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import onnx
from attrs import field, frozen
from numpy.typing import NDArray
from onnx import numpy_helper

from dltf.campaign import run
from dltf.campaign.gap.figures import RESAMPLES as OF_LINES
from dltf.campaign.gap.locate import RESOLUTION, observe
from dltf.campaign.gap.measure import Measured, measure
from dltf.campaign.opening import make_pair, open_seeds, settle
from dltf.host import Host
from dltf.profile import Profile, Tree, read_tree
from dltf.search.engine import stream_of
from dltf.store import RunFolder, Store

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "gap.md"

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)
DRAWS = 4
CHANGE = 0.1
MUTANTS = 20_000
RESAMPLES = 10_000
SCREEN = {"max_queries": 0}
DFLARE = {"use": "dflare", "fitness": "released", "selection": "released", "max_queries": 1000}
CIFAR = {"range": [0.0, 255.0], "mean": [125.307, 122.95, 113.865], "std": [62.9932, 62.0887, 66.7048]}


@frozen
class Network:
    """A network to alter, and the seeds it is for."""

    file: str
    seeds: str
    told: str
    input: Mapping[str, Any] = field(factory=dict)


NETWORKS = {
    "lenet5": Network("${DLTF_DATA}/models/dflare/lenet5.onnx", "image.mnist", "LeNet-5 of DFlare, MNIST"),
    "digits": Network("", "image.digits", "the demo's perceptron, scikit-learn's digits"),
    "resnet20": Network(
        "${DLTF_DATA}/models/dflare/resnet.onnx", "image.cifar10_jpeg", "ResNet-20 of DFlare, CIFAR-10", CIFAR
    ),
}


@frozen
class Row:
    """One altered network."""

    share: float
    gap: float
    interval: tuple[float, float]
    queries: float
    rate: float


TEXT = """# The boundary gap

Tables written by `python benchmarks/gap.py`; change nothing here by hand. [How to measure
it](../how-to/measure-the-gap.md).

## What it is

Take the line from a seed to the nearest other seed that the reference answers otherwise. Somewhere on it the
reference leaves the seed's answer, and somewhere the candidate does. How far apart the two places are, in the
domain's first distance, is the gap of that line: between the two places one has left the seed's answer and the other
has not. Its mean over many lines says how far apart two variants are, without a search that may be lucky.

- Each variant is located alone, so the lines and the reference's crossings serve every candidate, and candidates are
  compared line by line.
- What is followed is the *lead* of the seed's answer: its log-score less that of the best other one, whichever that
  is, so that a third answer on the way ends the first. With labels alone every step is a bisection.
- A candidate is looked for from the reference's crossing outwards: on a line that an answer leaves more than once,
  the crossing next to the reference's is meant.
- A line is followed down to a {resolution} of its length; samples that repeat are not asked for again. Where both
  variants change between the same two neighbouring samples there is no input between on which they differ: the gap
  counts as 0, and the distance of the two samples is what cannot be resolved.
- Where the candidate differs at an end of the line, its gap reaches *at least* to that end and is counted as that.
  Leaving such lines out would flatter the worst candidates.
- Lines on which an output is not finite are left out and counted.
- Intervals are 95 % percentile bootstrap intervals of the mean, {resamples:,} resamples of lines, always the same
  ones.

Beside the seeds themselves, a line costs the reference at most 19 inputs and a candidate 21, seven or eight as a rule
([the rule of the next step](../../src/dltf/roots.py)).

## What it does not tell

It says how far apart boundaries are where the lines cross them, and nothing of how many inputs lie there, nor how
sure both variants are of their answers ([severity](severity.md) does). A few lines may carry much of the mean: look
at the median and the 95th percentile, too. Two variants that cross their boundaries at the same places may still
differ elsewhere.

## As a measure, beside DFlare's mean queries

DFlare's authors rank compressed models by how many queries a search takes. Here both measures are held against the
rate at which mutated inputs are answered differently: seeds after one operator of `image.natural` at full strength. A
share of a network's weights is multiplied by 0.9 or 1.1: {shares}, {draws} draws of each. Searches are DFlare's as
released, at most 1,000 queries a seed; a budget that runs out counts as spent. The last column of the first tables is
a paired bootstrap over the candidates: where it excludes 0, the gap tells the rate better.

{results}
"""


# --- networks that are altered -----------------------------------------------------------------------------------


def altered(model: onnx.ModelProto, share: float, draw: int) -> onnx.ModelProto:
    """Return the network with a share of its weights times 0.9 or 1.1."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    rng = np.random.default_rng([int(share * 100), draw])
    for tensor in changed.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1:
            factors = 1 + CHANGE * rng.choice([-1, 1], values.shape)
            touched = rng.random(values.shape) < share
            new = np.where(touched, values * factors, values).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(new, tensor.name))
    return changed


def candidates(original: Path, folder: Path) -> list[tuple[float, Path]]:
    """Write the altered networks."""
    model = onnx.load(original)
    written = []
    for share in SHARES:
        for draw in range(DRAWS):
            file = folder / f"{original.stem}-{share:.0%}-{draw}.onnx".replace("%", "")
            onnx.save(altered(model, share, draw), file)
            written.append((share, file))
    return written


def profile_of(name: str, reference: Path, candidate: Path, search: Mapping[str, Any], count: int) -> Profile:
    network = NETWORKS[name]
    tables = {
        "campaign": {"name": name, "domain": "image"},
        "seeds": {"use": network.seeds, "count": count},
        "models": {
            role: {"file": str(file), "input": network.input}
            for role, file in (("reference", reference), ("candidate", candidate))
        },
        "search": search,
        "operators": [{"preset": "image.dflare-released" if search["max_queries"] else "image.natural"}],
    }
    return read_tree(Tree(tables), Host())


# --- what is measured --------------------------------------------------------------------------------------------


def gaps(profiles: Sequence[Profile]) -> Measured:
    names = [str(place) for place in range(len(profiles))]
    return measure(profiles, names)


def mean_queries(profile: Profile) -> float:
    """Return the mean queries of a search, an exhausted budget counted as spent."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(profile, Host(), RunFolder(Path(folder) / "run"))
        with Store(outcome.folder, write=False) as store:
            return float(np.mean([queries for (queries,) in store.query("SELECT queries FROM searched")]))


def mutants_of(profile: Profile) -> list[NDArray[Any]]:
    """Return at least `MUTANTS` inputs: each a seed after one operator at full strength, drawn from the preset."""
    source, cases = open_seeds(profile)
    samples = np.stack([source[case].sample for case in cases])
    operators = [named.operator for named in profile.operators]
    rng = np.random.default_rng(0)
    made: list[NDArray[Any]] = []
    for turn in range(-(-MUTANTS // len(samples))):
        mutants, chosen = samples.copy(), rng.integers(len(operators), size=len(samples))
        for place, operator in enumerate(operators):
            rows = np.flatnonzero(chosen == place)
            streams = [stream_of(1 + turn, cases[row]) for row in rows]
            if len(rows):
                draws = operator.draw(samples[rows], streams)
                mutants[rows] = operator.apply(samples[rows], draws, np.ones(len(rows)))
        made += list(mutants)
    return made


def decisions(profile: Profile, role: str, samples: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    with make_pair(profile) as pair:
        settle(profile, pair, *open_seeds(profile))
        seen = observe(getattr(pair, role), samples, [{}] * len(samples))
        return np.asarray(seen.decisions)


def rows_of(name: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure every altered network; return the rows, how many lines and mutants there were, and what it took."""
    reference = original(name, folder)
    made = candidates(reference, folder)
    available = len(open_seeds(profile_of(name, reference, reference, SCREEN, 1))[0])
    clock = [time.perf_counter()]
    profiles = [profile_of(name, reference, file, SCREEN, min(arguments.paths, available)) for _, file in made]
    measured = gaps(profiles)
    found = {int(one.name): one.figures for one in measured.candidates}
    clock.append(time.perf_counter())
    queries = [mean_queries(profile_of(name, reference, file, DFLARE, arguments.seeds)) for _, file in made]
    clock.append(time.perf_counter())
    profiles = [profile_of(name, reference, file, SCREEN, min(MUTANTS, available)) for _, file in made]
    mutants = mutants_of(profiles[0])
    answers = decisions(profiles[0], "reference", mutants)
    rates = [float((decisions(one, "candidate", mutants) != answers).mean()) for one in profiles]
    clock.append(time.perf_counter())
    rows = [
        Row(share, found[place]["mean"], found[place]["interval"], queries[place], rates[place])
        for place, (share, _) in enumerate(made)
    ]
    return {
        "rows": [attrs.asdict(row) for row in rows],
        "lines": measured.paths,
        "inputs": float(np.mean([figures["queries"] for figures in found.values()])),
        "seeds": arguments.seeds,
        "mutants": len(mutants),
        "seconds": np.diff(clock).tolist(),
    }


def original(name: str, folder: Path) -> Path:
    """Return the network's file; the demo's is trained."""
    if NETWORKS[name].file:
        return Path(os.path.expandvars(NETWORKS[name].file))
    script = ROOT / "examples" / "demo" / "make_models.py"
    subprocess.run([sys.executable, script, folder / "demo"], check=True, capture_output=True)
    return folder / "demo" / "digits.onnx"


# --- how well they tell ------------------------------------------------------------------------------------------

Vector = NDArray[np.float64]


def pearson(one: Vector, other: Vector) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def spearman(one: Vector, other: Vector) -> float:
    return pearson(_ranks(one), _ranks(other))


def _ranks(values: Vector) -> Vector:
    """Return ranks, equal values sharing theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def compared(
    correlation: Callable[[Vector, Vector], float], ours: Vector, theirs: Vector, told: Vector
) -> tuple[float, float, float, tuple[float, float]]:
    """Return both correlations, |ours| − |theirs|, and its paired bootstrap interval over the networks."""
    rng = np.random.default_rng(0)
    apart = []
    for rows in rng.integers(len(told), size=(RESAMPLES, len(told))):
        apart.append(abs(correlation(ours[rows], told[rows])) - abs(correlation(theirs[rows], told[rows])))
    first, second = correlation(ours, told), correlation(theirs, told)
    low, high = np.percentile(apart, [2.5, 97.5])
    return first, second, abs(first) - abs(second), (float(low), float(high))


def lines_for(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the Markdown of one network."""
    rows = [Row(**row) for row in found["rows"]]
    columns = {key: np.array([getattr(row, key) for row in rows]) for key in ("gap", "queries", "rate", "share")}
    gap_s, dflare_s, rate_s = found["seconds"]
    yield f"### {NETWORKS[name].told}"
    yield ""
    inputs = f"{found['lines']} lines, {found['inputs']:,.0f} inputs a candidate"
    yield f"Gap: {inputs}, {gap_s:.0f} s for {len(rows)} candidates."
    yield f"DFlare: {found['seeds']} seeds, {dflare_s:.0f} s. Rate: {found['mutants']:,} mutants, {rate_s:.0f} s."
    yield ""
    yield "| correlation with | | gap | DFlare's mean queries | \\|gap\\| − \\|queries\\| [95 %] |"
    yield "|---|---|---|---|---|"
    for told, words in (("rate", "rate of different answers"), ("share", "share of weights changed")):
        for how, function in (("Pearson", pearson), ("Spearman", spearman)):
            ours, theirs, apart, (low, high) = compared(function, columns["gap"], columns["queries"], columns[told])
            yield f"| {words} | {how} | {ours:.2f} | {theirs:.2f} | {apart:.3f} [{low:.3f}, {high:.3f}] |"
    yield f"| the rate itself, with the share | Pearson | {pearson(columns['rate'], columns['share']):.2f} | | |"
    yield ""
    yield "| weights changed | gap, rms grey levels: mean [95 %] | DFlare's mean queries | answered differently |"
    yield "|---|---|---|---|"
    for row in rows:
        low, high = row.interval
        yield f"| {row.share:.0%} | {row.gap:.3f} [{low:.3f}, {high:.3f}] | {row.queries:.1f} | {row.rate:.2%} |"
    yield ""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--paths", type=int, default=300, help="seeds, each with a line (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=60, help="seeds that DFlare searches (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="a JSON file of what was measured; what is in it is not done again")
    arguments = parser.parse_args()
    keep: Path | None = arguments.keep
    known: dict[str, Any] = json.loads(keep.read_text()) if keep is not None and keep.exists() else {}
    with tempfile.TemporaryDirectory() as named:
        for name in arguments.networks:
            if name not in known:
                known[name] = rows_of(name, Path(named), arguments)
            if keep is not None:
                keep.write_text(json.dumps(known, indent=1))
            print("\n".join(lines_for(name, known[name])), flush=True)
    tables = [line for name in arguments.networks for line in lines_for(name, known[name])]
    page = TEXT.format(
        resolution=f"{1 / RESOLUTION:,.0f}th",
        resamples=OF_LINES,
        shares=", ".join(f"{share:.0%}" for share in SHARES),
        draws=DRAWS,
        results="\n".join(tables).strip(),
    )
    PAGE.write_text(page, encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
