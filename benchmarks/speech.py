"""`bracket` beside `dflare` on a speech-to-text network and its 8-bit forms, on the same clips in one run.

`DLTF_DATA=… python benchmarks/speech.py [CLIPS [REPEATS]]` prints the table and writes it into
docs/explanation/speech.md. 100 clips and 3 campaign seeds take five minutes on two cores.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from attrs import frozen

from dltf.campaign import run
from dltf.host import Host
from dltf.profile import read_profile
from dltf.store import RunFolder, Store

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "speech.md"
EXAMPLES = ROOT / "examples" / "speech"
CLIPS, REPEATS = 100, 3
STRATEGIES = {
    "dflare": ('search.use="dflare"', 'operators=[{preset="speech.dflare"}]'),
    "bracket": (),
}
HEAD = ("8-bit form", "strategy", "natural", "found", "queries: mean [95 %]", "median", "worst", "SNR, dB", "severity")


@frozen
class Measured:
    """What all campaigns of one strategy came to."""

    natural: tuple[int, ...]  # of each campaign seed
    searched: int
    queries: tuple[int, ...]  # to each finding
    snr_db: float
    severity: float

    def cells(self) -> tuple[str, ...]:
        low, high = self.interval()
        return (
            " · ".join(map(str, self.natural)),
            f"{len(self.queries) / self.searched:.1%}",
            f"{statistics.fmean(self.queries):.1f} [{low:.1f}, {high:.1f}]",
            f"{statistics.median(self.queries):g}",
            str(max(self.queries)),
            f"{self.snr_db:.1f}",
            f"{self.severity:.3f}",
        )

    def interval(self) -> tuple[float, float]:
        """Return a percentile bootstrap of the mean."""
        rng = np.random.default_rng(0)
        drawn = rng.choice(np.array(self.queries), (2000, len(self.queries))).mean(axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        return float(low), float(high)


def campaigns(candidate: Path, strategy: str, clips: int, repeats: int) -> Measured:
    """Run a campaign for each campaign seed: other clips, and other random choices."""
    natural, queries, searched = [], [], 0
    snrs, severities = [], []
    host = Host()
    for seed in range(repeats):
        settings = [f"seeds.count={clips}", f"campaign.seed={seed}", f'models.candidate.file="{candidate}"']
        profile = read_profile(EXAMPLES / "digits-dynamic.toml", host, [*settings, *STRATEGIES[strategy]])
        with TemporaryDirectory() as folder:
            outcome = run(profile, host, RunFolder(Path(folder) / "run"))
            with Store(outcome.folder, write=False) as store:
                queries += [spent for (spent,) in store.query("SELECT queries FROM searched WHERE outcome = 'found'")]
        summary = outcome.summary
        natural.append(summary["screened"]["natural"])
        searched += summary["searched"]
        snrs.append(summary["distance_snr_db"]["median"])
        severities.append(summary["severity"]["median"])
    return Measured(tuple(natural), searched, tuple(queries), statistics.fmean(snrs), statistics.fmean(severities))


def rows(clips: int, repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the table."""
    with TemporaryDirectory() as folder:
        for form in ("dynamic", "static"):
            candidate = Path(folder) / f"digits-{form}.onnx"
            make = [sys.executable, EXAMPLES / "quantise.py", EXAMPLES / "digits-dynamic.toml", candidate]
            subprocess.run([*make, *(["--static"] if form == "static" else [])], check=True, capture_output=True)
            both = {name: campaigns(candidate, name, clips, repeats) for name in STRATEGIES}
            for name, measured in both.items():
                yield form, name, *measured.cells()
            ratio = statistics.fmean(both["bracket"].queries) / statistics.fmean(both["dflare"].queries)
            yield form, "bracket ÷ dflare", "", "", f"{ratio:.2f}", "", "", "", ""


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the table into the page between its markers."""
    clips = int(arguments[0]) if arguments else CLIPS
    repeats = int(arguments[1]) if len(arguments) > 1 else REPEATS
    lines = []
    for line in rows(clips, repeats):
        lines.append(line)
        print(" | ".join(line), flush=True)
    table = "\n".join(f"| {' | '.join(line)} |" for line in (HEAD, ["---"] * len(HEAD), *lines))
    told = f"{clips} clips for each of {repeats} campaign seeds.\n\n{table}"
    head, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- digits -->")
    _, _, tail = rest.partition("<!-- end of digits -->")
    PAGE.write_text(f"{head}<!-- digits -->\n{told}\n<!-- end of digits -->{tail}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
