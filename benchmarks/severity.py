"""Severity, slices and clusters of the ResNet-8 pair; writes docs/explanation/severity.md.

`DLTF_DATA=… python benchmarks/severity.py` screens 10,000 pictures, searches 1,000 of them, and takes half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dltf.campaign import run
from dltf.host import Host
from dltf.profile import read_profile
from dltf.store import RunFolder

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "severity.md"
PROFILE = ROOT / "examples" / "dflare" / "resnet8.toml"
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

TEXT = """# Severity, slices and clusters

<!-- Written by `DLTF_DATA=… python benchmarks/severity.py`; change the text there. -->

A search finds something for nearly every pair that is not identical. Which of it matters?

## Severity

A variant's *margin* on an input is the log-odds by which it prefers its own answer to the other variant's: the
difference of the two log-probabilities, in nats. At 0 it could not care less, 0.69 nats are odds of two to one, 2.3 of
ten to one. The *severity* of a deviation is the smaller of the two margins. Near 0 it is a coin toss for one of
them at least: what rounding does anywhere near a decision boundary. Far from 0 it is a confident contradiction. A
quantised probability of 0 counts as half a step, so that its logarithm is finite.

| grade | when |
|---|---|
| regression | the reference has the seed's label and is sure (two to one at least); the candidate says otherwise |
| contradiction | both are sure, and nothing says that the reference is right |
| one-sided | one of them is sure |
| unsure | neither is |
| near tie | neither is, and one of them is within 1 % of even odds |
| unscored | the decoder scores no answers but its own, or an output is not finite |

The label of a mutant is its seed's. That is a fair guess for a small change and none for a large one: look at the
picture, and at its distance.

Gallery, `export` and gates go by it: `severity_worst`, `severity_p95`, `severity_median`, `near_ties`, `regressions`.

## Slices and clusters

A *slice* is the seeds that share a label or a value of a column of their manifest; every figure that makes sense for a
part is given for each. A *cluster* is the deviations with one pair of answers, one last operator and one region of the
input: one likely cause. Its example is its most severe member.

## The ResNet-8 of MLPerf Tiny, float against 8 bits

10,000 pictures (a JPEG copy of CIFAR-10's test set) are screened, and {searched} of those that agree are searched with
`dflare` as released. Kernels: {versions}.

{severity}

By label, of the {screened} screened:

{slices}

The ten largest clusters of the searched deviations:

{clusters}
"""


def main() -> None:
    """Run both campaigns and write the page."""
    with TemporaryDirectory() as folder:
        screened = campaign(Path(folder) / "screened", "search.max_queries=0")
        searched = campaign(Path(folder) / "searched", "seeds.count=1000")
    variant = screened["variants"]["candidate"]
    page = TEXT.format(
        searched=f"{searched['searched']:,}",
        screened=f"{screened['screened']['seeds']:,}",
        versions=", ".join(f"{name} {version}" for name, version in variant["versions"].items()),
        severity=severities({"natural, of 10,000 seeds": screened, "natural and searched, of 1,000 seeds": searched}),
        slices=slices(screened["slices"]["label"]),
        clusters=clusters(searched["clusters"]),
    )
    PAGE.write_text(page, encoding="utf-8")
    print(page)


def campaign(folder: Path, *settings: str) -> Mapping[str, Any]:
    """Run the profile and return its summary."""
    host = Host()
    return run(read_profile(PROFILE, host, settings), host, RunFolder(folder)).summary


def severities(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a row for each run."""
    grades = ("regression", "contradiction", "one-sided", "unsure", "near tie")
    rows = [
        (
            name,
            f"{summary['findings']:,}",
            *(f"{summary['severity'][key]:.2f}" for key in ("median", "p95", "worst")),
            *(str(summary["severity"]["grades"].get(grade, 0)) for grade in grades),
        )
        for name, summary in summaries.items()
    ]
    return table(("deviations", "number", "median", "95th percentile", "worst (nats)", *grades), rows)


def slices(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each label."""
    rows = [
        (
            THINGS[part["value"]],
            str(part["seeds"]),
            f"{part['natural_rate']:.1%}",
            f"{part['accuracy']['reference']:.3f}",
            f"{part['accuracy']['candidate'] - part['accuracy']['reference']:+.3f}",
            str(part["regressions"]),
            f"{part['severity_median']:.2f}",
            f"{part['severity_worst']:.2f}",
        )
        for part in parts
    ]
    head = ("label", "seeds", "differ", "accuracy", "candidate's", "regressions", "severity, median", "worst")
    return table(head, rows)


def clusters(found: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each of the ten largest clusters that a search made."""
    rows = [
        (
            f"{THINGS[cluster['reference']]} → {THINGS[cluster['candidate']]}",
            cluster["operator"].removeprefix("image."),
            cluster["region"],
            str(cluster["findings"]),
            f"{cluster['severity_median']:.2f}",
            f"{cluster['severity_worst']:.2f}",
        )
        for cluster in found
        if cluster["operator"]
    ][:10]
    return table(("reference → candidate", "last operator", "where", "number", "severity, median", "worst"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    main()
