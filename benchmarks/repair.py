"""What repair is worth on real pairs: the paper's protocol, heads beyond it, ten times the findings, and the bound.

    DLTF_DATA=… python benchmarks/repair.py WORK [--pairs NAME …] [--parts PART …] [--seeds 500] [--repeats 5] [--page]

WORK is a folder that campaigns and results are kept in: what is there is not run again, so that an interrupted
benchmark goes on. The tables, in Markdown, are printed at the end, of all that is in WORK by then; `--parts tables`
prints them alone, and `--page` puts them into docs/explanation/repair.md, too. Parts, in the order in which they run on
all pairs: campaigns, paper, heads, hard, tenfold, bound, general. All of it takes some two hours of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve
from bracket import _DFLARE_INPUT, _RAW, CIFAR, PAIRS, PairOfModels
from refine import written
from repair_tables import LEVELS, tables

from dltf.campaign import run
from dltf.campaign.comparison import Wish, tree_of
from dltf.host import Host
from dltf.profile import override, read_tree
from dltf.repair import beside
from dltf.repair.bound import bound
from dltf.repair.data import CLEAN, FINDING, HARD, NATURAL, SEED, Rows, gather, joined
from dltf.repair.generalise import generalised
from dltf.repair.protocol import Answered, cross, deal, repaired, stream_of
from dltf.repair.ratios import counts, figures
from dltf.repair.settings import SHELF, RepairTable
from dltf.store import RunFolder, Store

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "repair.md"
CAP = 10_000  # queries a seed
_RELEASED = ("search.use=dflare", "search.fitness=released", "search.selection=released")
HEADS = ("linear", "residual", "boosted", "nearest")
BIG_HEADS = ("linear", "residual", "boosted")
TENFOLD = 10

DISTILLED = (
    *(
        PairOfModels(f"zoo {name}, distilled", f"zoo/{name}.onnx", f"zoo/{name}-distilled.onnx", CIFAR, _RAW, _RAW)
        for name in ("cifar10-resnet20", "cifar10-plainnet20", "cifar10-vgg16")
    ),
    PairOfModels(
        "dflare ResNet-20, distilled",
        "dflare/resnet.onnx",
        "zoo/dflare-resnet-distilled.onnx",
        CIFAR,
        _DFLARE_INPUT,
        _DFLARE_INPUT,
    ),
    PairOfModels(
        "dflare ResNet-20, pruned30",
        "dflare/resnet.onnx",
        "zoo/dflare-resnet-pruned30.onnx",
        CIFAR,
        _DFLARE_INPUT,
        _DFLARE_INPUT,
    ),
)
QUANTISED = tuple(  # by `quantised`, into the folder of the benchmark
    PairOfModels(f"zoo {name}, 8-bit", f"zoo/{name}.onnx", f"{name}-8bit.onnx", CIFAR, _RAW, _RAW)
    for name in ("cifar10-plainnet20", "cifar10-vgg16")
)
ALL = (*(pair for pair in PAIRS if pair.seeds != "photographs"), *QUANTISED, *DISTILLED)

PARTS = ("campaigns", "paper", "heads", "hard", "tenfold", "bound", "general", "tables")


def quantised(pair: PairOfModels, work: Path) -> PairOfModels:
    """Return the pair with its candidate made: the reference in 8 bits, calibrated on training pictures."""
    out = (work / pair.candidate).absolute()
    host = Host()
    if not out.exists():
        seeds = host.find("dltf_seed_sources", pair.seeds).load()(split="train").open()

        def pictures() -> Iterator[dict[str, Any]]:
            for row in range(len(seeds)):
                yield {"input": seeds[row].sample.transpose(2, 0, 1)[None].astype(np.float32)}

        converter: Any = host.find("dltf_converters", "onnx.static_int8").load()(per_channel=True)
        converter.convert(Path(os.environ["DLTF_DATA"]) / "models" / pair.reference, out, pictures)
    return evolve(pair, candidate=str(out))


def slug_of(pair: PairOfModels) -> str:
    """Return what the folders of a pair are called."""
    return pair.name.replace(",", "").replace(" ", "-").lower()


def known(work: Path, pair: PairOfModels) -> dict[str, dict[str, Any] | None]:
    """Return what each part has come to, None where it has not been run."""
    files = {part: work / f"{slug_of(pair)}.repair" / f"{part}.json" for part in PARTS[1:-1]}
    return {part: json.loads(file.read_text()) if file.exists() else None for part, file in files.items()}


class Bench:
    """One pair in its folder."""

    def __init__(self, pair: PairOfModels, work: Path, table: RepairTable, seeds: int) -> None:
        self.pair, self.table, self.seeds = pair, table, seeds
        self.slug = slug_of(pair)
        self.work = work
        self.folder = work / f"{self.slug}.repair"
        self.folder.mkdir(parents=True, exist_ok=True)

    def run_of(self, kind: str) -> Path:
        return self.work / f"{self.slug}.{kind}"

    def campaigns(self) -> dict[str, Any]:
        """Search with both strategies; students differ on so many seeds that they take more."""
        spare = 1.8 if "distilled" in self.pair.name else 1.2
        return {
            "dflare": self._campaign("dflare", int(self.seeds * spare), *_RELEASED),
            "bracket": self._campaign(
                "bracket", min(int(self.seeds * (TENFOLD - 1) * spare), 8000), "search.use=bracket"
            ),
        }

    def _campaign(self, kind: str, count: int, *settings: str) -> dict[str, Any]:
        folder = RunFolder(self.run_of(kind))
        if folder.summary.exists():
            with Store(folder.for_reading(), write=False) as store:
                if store.fact("finished", False):
                    return {"findings": len(store.query('SELECT "case" FROM findings'))}
        models = [
            str(Path(os.environ["DLTF_DATA"]) / "models" / one) for one in (self.pair.reference, self.pair.candidate)
        ]
        inputs = [f"models.reference.input.{key}" for key in self.pair.reference_input]
        inputs += [f"models.candidate.input.{key}" for key in self.pair.candidate_input]
        wish = Wish(*models, self.pair.seeds, count=count, queries=CAP, operators="image.dflare-released")
        host = Host()
        profile = read_tree(override(tree_of(wish, host), [*inputs, *settings]), host)
        outcome = run(profile, host, folder, resume=folder.database.exists())
        return {"findings": outcome.summary["findings"]}

    # --- rows ----------------------------------------------------------------------------------------------------

    def small(self) -> Rows:
        """Return the paper’s rows, findings of dflare and their seeds; beside them hard negatives and clean seeds."""
        return self._rows(["dflare"], self.seeds, natural=False)

    def big(self) -> Rows:
        """Return ten times the findings, of both strategies, and natural ones."""
        return self._rows(["dflare", "bracket"], TENFOLD * self.seeds, natural=True)

    def _rows(self, kinds: Sequence[str], most: int, *, natural: bool) -> Rows:
        folders = [self.run_of(kind) for kind in kinds]
        gathered = gather(folders)
        out = self.folder / "-".join(kinds)
        out.mkdir(exist_ok=True)
        host = Host()
        hard, _ = beside.hard_negatives(gathered, folders, host, (), self.table.hard_negatives, out, _silent)
        clean, _ = beside.clean(gathered, folders, host, (), self.table.clean, out, _silent)
        rows = gathered.rows
        # Those of dflare first; of the others as many as are wanted.
        order = np.argsort(rows.strategies != "dflare", kind="stable")
        picked = order[rows.of(FINDING)[order]][:most]
        groups = np.unique(rows.groups[picked])
        kept = np.zeros(len(rows), dtype=np.bool_)
        kept[picked] = True
        kept |= rows.of(SEED) & np.isin(rows.groups, groups)
        kept |= rows.of(NATURAL) & natural
        return joined(joined(rows.take(kept), hard.take(np.isin(hard.groups, groups))), clean)

    # --- parts ---------------------------------------------------------------------------------------------------

    def part(self, name: str) -> dict[str, Any]:
        """Return what a part came to, from its file where it is there."""
        file = self.folder / f"{name}.json"
        if file.exists():
            kept: dict[str, Any] = json.loads(file.read_text())
            return kept
        began = time.monotonic()
        found = getattr(self, name)()
        file.write_text(json.dumps(found))
        print(f"{self.pair.name}: {name}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return dict(found)

    def paper(self) -> dict[str, Any]:
        """The paper's head and protocol: it always intervenes, and learns from seeds and findings alone."""
        return self._measured(self.small(), ("drepair",), (SEED, FINDING), chooses=False)

    def heads(self) -> dict[str, Any]:
        """Heads beyond the paper on the same rows, each always and bounded, and the best inside the folds."""
        return self._measured(self.small(), HEADS, (SEED, FINDING))

    def hard(self) -> dict[str, Any]:
        """The same where hard negatives are learnt from, too; dealt once."""
        rows, kinds = self.small(), (SEED, FINDING, HARD)
        once = evolve(self.table, repeats=1)
        ours = self._measured(rows, ("residual", "boosted"), kinds, settings=once)
        return ours | self._measured(rows, ("drepair",), kinds, chooses=False, settings=once)

    def tenfold(self) -> dict[str, Any]:
        """Ten times the findings; dealt once."""
        return self._measured(self.big(), BIG_HEADS, (SEED, FINDING), settings=evolve(self.table, repeats=1))

    def bound(self) -> dict[str, Any]:
        """What any function of the output vector could reach on the paper's rows, and on ten times as many."""
        limit = self.table.max_inducing
        return {
            "small": bound(self.small(), limit, stream_of(0, 7)),
            "big": bound(self.big(), limit, stream_of(0, 7)),
        }

    def general(self) -> dict[str, Any]:
        """One strategy's findings learnt, the other's, natural ones and clean seeds measured."""
        rows = self.big()
        head = Host().find(SHELF, "residual").load()()
        return {"rows": generalised(rows.take(~rows.of(HARD)), head, self.table)}

    def _measured(
        self,
        rows: Rows,
        names: Sequence[str],
        kinds: Sequence[str],
        *,
        chooses: bool = True,
        settings: RepairTable | None = None,
    ) -> dict[str, Any]:
        settings = settings or self.table
        host = Host()
        heads = {name: host.find(SHELF, name).load()() for name in names}
        dealt = []
        for repeat in range(settings.repeats):
            folds = deal(rows.groups, settings.folds, stream_of(settings.seed, 0, repeat))
            dealt.append(
                {
                    name: cross(
                        head, rows, folds, stream_of(settings.seed, 1, repeat, place), kinds=kinds, chooses=chooses
                    )
                    for place, (name, head) in enumerate(heads.items())
                }
            )
        told: dict[str, Any] = {"counts": {kind: int(rows.of(kind).sum()) for kind in (SEED, FINDING, HARD, CLEAN)}}
        for name in names:
            told[f"{name}, always"] = _figures(rows, [{name: one[name]} for one in dealt], settings, always=True)
            if chooses:
                told[f"{name}, bounded"] = _figures(rows, [{name: one[name]} for one in dealt], settings)
                told[f"{name}, curve"] = _curve(rows, [one[name].outer for one in dealt])
        if chooses and len(names) > 1:
            told["best, bounded"] = _figures(rows, dealt, settings)
            told["best on seeds, bounded"] = _figures(rows, dealt, evolve(settings, chosen_on="seeds"))
        return told


def _figures(rows: Rows, dealt: Sequence[Any], settings: RepairTable, *, always: bool = False) -> dict[str, Any]:
    found = [repaired(rows, one, settings, always=always) for one in dealt]
    told = figures(rows, [one.after for one in found], stream_of(settings.seed, 2))
    return told | {
        "thresholds": [at for one in found for at in one.thresholds],
        "chosen": [name for one in found for name in one.heads],
    }


def _curve(rows: Rows, said: Sequence[Answered]) -> list[float]:
    """Return the improvement at each of LEVELS, with the threshold that has this inducing ratio on the same seeds."""
    seeds = rows.of(SEED) & rows.agreeing
    told = []
    for level in LEVELS:
        gains = []
        for one in said:
            spoils = np.sort(one.advantages[seeds & (one.classes != rows.answers)])[::-1]
            most = int(level * seeds.sum())
            at = float(np.nextafter(spoils[most], np.float32(2))) if most < len(spoils) else 0.0
            gains.append(counts(rows, one.after(rows, at)).improvement or 0.0)
        told.append(float(np.mean(gains)))
    return told


def _silent(what: str, done: int, total: int) -> None:
    pass


def main(command_line: Sequence[str] | None = None) -> None:
    """Run the parts on the pairs, part by part, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="where campaigns and results are kept")
    parser.add_argument("--pairs", nargs="+", default=[], help="pairs whose names have one of these words")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--page", action="store_true", help=f"put the tables into {PAGE.name}")
    asked = parser.parse_args(command_line)
    settings = RepairTable(repeats=asked.repeats)
    pairs = [pair for pair in ALL if not asked.pairs or any(word in pair.name for word in asked.pairs)]
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.parts != ["tables"]:
        pairs = [quantised(pair, asked.work) if pair in QUANTISED else pair for pair in pairs]
        benches = [Bench(pair, asked.work, settings, asked.seeds) for pair in pairs]
        for name in PARTS[:-1]:
            for bench in benches:
                if name in asked.parts:
                    bench.part(name)
    made = tables({pair.name: known(asked.work, pair) for pair in ALL})
    if asked.page:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    for name, text in made.items():
        print(f"{name}\n\n{text}\n")


if __name__ == "__main__":
    main()
