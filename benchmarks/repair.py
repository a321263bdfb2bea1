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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve
from bracket import _DFLARE_INPUT, _RAW, CIFAR, PAIRS, PairOfModels, table
from refine import written

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
LEVELS = (0.005, 0.01, 0.02, 0.0417)  # the last is the mean inducing ratio of the paper

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

# Improvement in the paper (DFlare, section 5.5), %, on its pair of this architecture and kind of compression.
PAPER = {
    "dflare lenet5": 24.16,
    "dflare ResNet-20": 14.52,
    "zoo mnist-lenet4, pruned": 48.48,
    "zoo mnist-cnn, pruned": 42.40,
    "zoo cifar10-plainnet20, pruned": 37.48,
    "zoo cifar10-plainnet20, 8-bit": 24.04,
    "zoo cifar10-plainnet20, distilled": 16.56,
    "zoo cifar10-vgg16, pruned": 32.56,
    "zoo cifar10-vgg16, 8-bit": 18.76,
    "zoo cifar10-vgg16, distilled": 14.50,
}
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


class Bench:
    """One pair in its folder."""

    def __init__(self, pair: PairOfModels, work: Path, table: RepairTable, seeds: int) -> None:
        self.pair, self.table, self.seeds = pair, table, seeds
        self.slug = pair.name.replace(",", "").replace(" ", "-").lower()
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


# --- tables ------------------------------------------------------------------------------------------------------


def tables(benches: Sequence[Bench]) -> dict[str, str]:
    """Return the tables of all that there is, by name."""
    done = {bench.pair.name: {name: _kept(bench, name) for name in PARTS[1:-1]} for bench in benches}
    return {
        "repair short": _short(done),
        "repair protocol": _protocol(done),
        "repair levels": _levels(done),
        "repair hard": _near(done),
        "repair bound": _bounds(done),
        "repair general": _general(done),
    }


def _kept(bench: Bench, name: str) -> dict[str, Any] | None:
    file = bench.folder / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


Done = Mapping[str, Mapping[str, dict[str, Any] | None]]
Ways = Mapping[str, tuple[str, str]]
"""Under the title of a column, a part and what is taken of it."""

PROTOCOL: Ways = {
    "its head": ("paper", "drepair, always"),
    "boosted, always": ("heads", "boosted, always"),
    "best, bounded": ("heads", "best on seeds, bounded"),
    "the same, ten times the findings": ("tenfold", "best on seeds, bounded"),
}
LEVELLED: Ways = {"": ("heads", "boosted, curve"), "ten times the findings: ": ("tenfold", "boosted, curve")}
NEAR: Ways = {
    "its head": ("paper", "drepair, always"),
    "best on seeds, bounded": ("heads", "best on seeds, bounded"),
    "best, bounded": ("heads", "best, bounded"),
    "its head, taught": ("hard", "drepair, always"),
    "residual, taught": ("hard", "residual, always"),
    "best, taught, bounded": ("hard", "best, bounded"),
    "residual, ten times": ("tenfold", "residual, always"),
}


def _short(done: Done) -> str:
    """Say on how many pairs of the paper's each way does better than it, and what that costs."""
    lines = []
    for name, (part, way) in PROTOCOL.items():
        told = {pair: (parts[part] or {}).get(way) for pair, parts in done.items()}
        gains = {pair: one["improvement"]["ratio"] for pair, one in told.items() if one is not None}
        spoilt = [one["induced"]["ratio"] for one in told.values() if one is not None]
        ours = [pair for pair in gains if pair in PAPER]
        if ours:
            lines.append(
                f"- {name}: above the paper on {sum(gains[pair] > PAPER[pair] / 100 for pair in ours)} of {len(ours)} "
                f"pairs, {np.mean([gains[pair] for pair in ours]):.1%} on average where it has "
                f"{np.mean([PAPER[pair] for pair in ours]):.1f} %; inducing {np.mean(spoilt):.2%} on average of all "
                f"{len(spoilt)} pairs."
            )
    for way, (part, name) in LEVELLED.items():
        at = {pair: told[name][-1] for pair, parts in done.items() if pair in PAPER and (told := parts[part])}
        if at:
            above = sum(gain > PAPER[pair] / 100 for pair, gain in at.items())
            lines.append(
                f"- {', '.join(['boosted', *way.split(':')[:-1]])}, where {LEVELS[-1]:.2%} of the seeds are induced as "
                f"in the paper: above it on {above} of {len(at)} pairs, "
                f"{np.mean(list(at.values())):.1%} on average."
            )
    return "\n".join(lines)


def _protocol(done: Done) -> str:
    head = ["pair", "the paper", *(f"{way}: {what}" for way in PROTOCOL for what in ("improvement", "inducing"))]
    lines = []
    for pair, parts in done.items():
        cells = [pair, f"{PAPER[pair]:.2f} %" if pair in PAPER else "–"]
        for part, way in PROTOCOL.values():
            told = (parts[part] or {}).get(way)
            cells += ["–", "–"] if told is None else [_ratio(told["improvement"]), _ratio(told["induced"])]
        lines.append(cells)
    return table(head, [*lines, *_means(done, PROTOCOL, ("improvement", "induced"))])


def _levels(done: Done) -> str:
    """What might be had if more were allowed to be spoilt."""
    head = ["pair", "the paper", *(f"{way}{level:.2%}" for way in LEVELLED for level in LEVELS)]
    lines = []
    for pair, parts in done.items():
        cells = [pair, f"{PAPER[pair]:.2f} %" if pair in PAPER else "–"]
        for part, way in LEVELLED.values():
            told = (parts[part] or {}).get(way)
            cells += ["–"] * len(LEVELS) if told is None else [f"{gain:.1%}" for gain in told]
        lines.append(cells)
    return table(head, lines)


def _near(done: Done) -> str:
    head = ["pair", *(f"{way}: {what}" for way in NEAR for what in ("repaired", "spoilt"))]
    lines = []
    for pair, parts in done.items():
        cells = [pair]
        for part, way in NEAR.values():
            told = (parts[part] or {}).get(way)
            cells += ["–", "–"] if told is None else [_plain(told["repaired"]), _plain(told["hard_negatives"])]
        lines.append(cells)
    means = _means(done, NEAR, ("repaired", "hard_negatives"))
    return table(head, [*lines, *([title, *cells] for title, _, *cells in means)])


def _bounds(done: Done) -> str:
    head = (
        "pair",
        "vectors shared",
        "exact: repaired at most",
        "bins: repaired",
        "bins: hard negatives spoilt",
        "nearest neighbour’s error, in the limit (Cover and Hart)",
        "a vote of 15: error",
        "the paper’s head: error",
        "residual, taught hard negatives: error",
    )
    lines = []
    for pair, parts in done.items():
        told = parts["bound"]
        if told is None:
            continue
        small = told["small"]
        near = small["neighbours"]
        lines.append(
            [
                pair,
                f"{small['exact']['shared']:,}",
                _plain(small["exact"]["repaired"]),
                _plain(small["bins"]["repaired"]),
                _plain(small["bins"]["hard_negatives"]),
                f"{near['cover_hart']:.1%}",
                f"{near['voted']['error']:.1%}",
                _error((parts["paper"] or {}).get("drepair, always")),
                _error((parts["hard"] or {}).get("residual, always")),
            ]
        )
    return table(head, lines)


def _error(told: Mapping[str, Any] | None) -> str:
    """Return the share of findings and hard negatives, as many as there are of each, that are answered wrongly."""
    if told is None:
        return "–"
    found, hard = told["repaired"], told["hard_negatives"]
    return f"{(found['of'] - found['count'] + hard['count']) / (found['of'] + hard['of']):.1%}"


def _general(done: Done) -> str:
    head = ("pair", "taught", "dflare repaired", "bracket repaired", "natural", "seeds induced", "accuracy", "after")
    keys = ("dflare", "bracket", "natural", "seeds induced", "clean accuracy before", "clean accuracy after")
    lines: list[list[str]] = []
    ratios: dict[str, list[list[float | None]]] = {}
    for pair, parts in done.items():
        for one in (parts["general"] or {"rows": []})["rows"]:
            for way in ("always", "bounded"):
                told = [one[way].get(key, {"ratio": None})["ratio"] for key in keys]
                taught = f"{one['trained_on']}, {way}"
                ratios.setdefault(taught, []).append(told)
                lines.append([pair, taught, *("–" if ratio is None else f"{ratio:.1%}" for ratio in told)])
    for taught, rows in ratios.items():
        means = np.nanmean(np.array(rows, dtype=np.float64), axis=0)
        lines.append(["mean", taught, *(f"{mean:.1%}" for mean in means)])
    return table(head, lines)


def _means(done: Done, ways: Ways, keys: Sequence[str]) -> list[list[str]]:
    """Return the rows of means: over all pairs, and over those that the paper has."""
    rows = []
    for title, pairs in (
        ("mean of all", list(done)),
        ("mean of the paper’s", [pair for pair in done if pair in PAPER]),
    ):
        published = f"{np.mean([PAPER[pair] for pair in pairs]):.2f} %" if title != "mean of all" and pairs else ""
        cells = [title, published]
        for part, way in ways.values():
            for key in keys:
                found = [(done[pair][part] or {}).get(way) for pair in pairs]
                ratios = [told[key]["ratio"] for told in found if told is not None and told[key]["ratio"] is not None]
                cells.append(f"{np.mean(ratios):.2%} ({len(ratios)})" if ratios else "–")
        rows.append(cells)
    return rows


def _plain(told: Mapping[str, Any]) -> str:
    return "–" if told["ratio"] is None else f"{told['ratio']:.1%}"


def _ratio(told: Mapping[str, Any]) -> str:
    if told["ratio"] is None or told["interval"] is None:
        return "–"
    low, high = told["interval"]
    return f"{told['ratio']:.2%} [{low:.1%}, {high:.1%}]"


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
    pairs = [quantised(pair, asked.work) if pair in QUANTISED else pair for pair in pairs]
    benches = [Bench(pair, asked.work, settings, asked.seeds) for pair in pairs]
    for name in PARTS[:-1]:
        for bench in benches:
            if name in asked.parts:
                bench.part(name)
    made = tables(benches)
    if asked.page:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    for name, text in made.items():
        print(f"{name}\n\n{text}\n")


if __name__ == "__main__":
    main()
