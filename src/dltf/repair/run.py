"""A repair from stored runs to a head that can be deployed, with what it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import define, field, frozen

from dltf.errors import RunFolderError
from dltf.repair import beside
from dltf.repair.bound import bound
from dltf.repair.data import CLEAN, HARD, SEED, TAUGHT, Gathered, Rows, counted, gather, joined
from dltf.repair.explain import explained
from dltf.repair.generalise import fits as fits_of_generalising
from dltf.repair.generalise import generalised
from dltf.repair.protocol import (
    Answered,
    Crossed,
    Repaired,
    answered,
    check_folds,
    cross,
    curve_of,
    deal,
    fit,
    fits,
    repaired,
    stream_of,
    threshold,
    worth,
)
from dltf.repair.ratios import figures
from dltf.repair.settings import need_heads
from dltf.repair.threshold import Chosen, curve, written
from dltf.store.folder import write_json

if TYPE_CHECKING:
    from dltf.contracts import FittedHead
    from dltf.host import Host
    from dltf.repair.settings import Asked, RepairTable

    Told: TypeAlias = Callable[[str, int, int], None]

RESULT, REPAIR, HEAD, REPORT = "result.json", "repair.json", "head.onnx", "report.html"
SCHEMA = 1
_OURS = {RESULT, REPAIR, HEAD, REPORT, beside.HARD_FILE, beside.CLEAN_FILE}


@frozen(eq=False)
class Final:
    """The head that is deployed: learnt from everything, with its threshold."""

    name: str
    fitted: FittedHead
    chosen: Chosen


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds something else than an earlier repair; nothing is written yet."""
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file", hint="name a folder with --out")
    strange = sorted(path.name for path in folder.iterdir() if path.name not in _OURS) if folder.is_dir() else []
    if strange:
        raise RunFolderError(
            f"{folder} is not empty, and what it holds ({strange[0]}) is no repair",
            hint="name a new or empty folder with --out",
        )


def repair(
    runs: Sequence[Path], asked: Asked, host: Host, folder: Path, told: Told, *, force: bool = False
) -> dict[str, Any]:
    """Measure heads on the findings of these runs, and write the best into `folder`; return what `result.json` holds.

    A head that makes things worse on inputs that it has not seen is not written, unless forced: `refused` says why.
    """
    check_folder(folder)
    need_heads(asked)
    gathered = gather(runs)
    check_folds(gathered.rows, asked.table.folds)
    folder.mkdir(parents=True, exist_ok=True)
    rows, facts = _rows(gathered, runs, asked, host, folder, told)
    measured = _Measured(rows, asked, told)
    measured.run()
    final = measured.final()
    result = _result(gathered, rows, facts, asked, measured, final)
    result["refused"] = refused(result["deployed"]["figures"], result["deployed"]["never"])
    result["written"] = force or not result["refused"]
    if result["written"]:
        _write_head(folder, final, result)
    else:
        (folder / REPAIR).unlink(missing_ok=True)
        (folder / HEAD).unlink(missing_ok=True)
    write_json(folder / RESULT, result)
    return result


def _rows(
    gathered: Gathered, runs: Sequence[Path], asked: Asked, host: Host, folder: Path, told: Told
) -> tuple[Rows, dict[str, Any]]:
    """Return all rows, those that the models have to be asked for included."""
    table, rows, facts = asked.table, gathered.rows, {}
    if table.hard_negatives:
        near, facts["hard_negatives"] = beside.hard_negatives(
            gathered, runs, host, asked.overrides, table.hard_negatives, folder, told
        )
        rows = joined(rows, near)
    if table.clean:
        clean, facts["clean"] = beside.clean(gathered, runs, host, asked.overrides, table.clean, folder, told)
        rows = joined(rows, clean)
    return rows, facts


@define(eq=False)
class _Measured:
    """Heads on all dealings of the folds."""

    rows: Rows
    asked: Asked
    told: Told
    crossed: list[dict[str, Crossed]] = field(factory=list)  # by dealing, by head
    done: int = 0

    def run(self) -> None:
        for repeat in range(self.table.repeats):
            folds = deal(self.rows.groups, self.table.folds, stream_of(self.table.seed, 0, repeat))
            self.crossed.append(
                {
                    name: cross(head, self.rows, folds, stream_of(self.table.seed, 1, repeat, number), self.tick)
                    for number, (name, head) in enumerate(self.asked.heads.items())
                }
            )

    @property
    def table(self) -> RepairTable:
        return self.asked.table

    @property
    def total(self) -> int:
        each = self.table.repeats * fits(self.table.folds)
        return len(self.asked.heads) * each + fits_of_generalising(self.rows) + 1

    def tick(self) -> None:
        self.done += 1
        self.told("fitting heads", self.done, self.total)

    def of(self, names: Sequence[str], *, always: bool) -> list[Repaired]:
        """Return the repairs of all dealings, the head chosen among these."""
        picked = [{name: one[name] for name in names} for one in self.crossed]
        return [repaired(self.rows, one, self.table, always=always) for one in picked]

    def figures(self, found: Sequence[Repaired]) -> dict[str, Any]:
        thresholds = [at for one in found for at in one.thresholds]
        told = figures(self.rows, [one.after for one in found], stream_of(self.table.seed, 2))
        told["thresholds"] = {"median": float(np.median(thresholds)), "never": sum(at > 1 for at in thresholds)}
        told["chosen"] = dict(Counter(name for one in found for name in one.heads))
        return told

    def final(self) -> Final:
        """Choose a head by all folds, teach it everything, and choose its threshold on what it has not learnt from."""
        names = list(self.asked.heads)
        gains = {name: np.mean([self._worth(one[name].outer) for one in self.crossed]) for name in names}
        name = max(names, key=lambda one: gains[one])
        fitted = fit(self.asked.heads[name], self.rows, stream_of(self.table.seed, 6))
        self.tick()
        return Final(name, fitted, threshold(self.rows, self.said(name, fitted), self.table))

    def said(self, name: str, fitted: FittedHead) -> Answered:
        """Return what is known of a head on every row: its own answers to clean seeds, those of the folds elsewhere."""
        outer = self.crossed[0][name].outer
        unseen = answered(fitted, self.rows)
        clean = self.rows.of(CLEAN)
        return Answered(
            np.where(clean, unseen.classes, outer.classes), np.where(clean, unseen.advantages, outer.advantages)
        )

    def _worth(self, said: Answered) -> int:
        return worth(self.rows, said, threshold(self.rows, said, self.table).threshold, self.table)


def refused(told: Mapping[str, Any], never: bool) -> list[str]:
    """Return why a head is not to be deployed, by its figures on inputs that it has not seen."""
    if never:
        return ["no threshold keeps what it spoils within max_inducing at this confidence: it would never intervene"]
    found, induced, hard = told["repaired"], told["induced"], told["hard_negatives"]
    why = []
    if (told["improvement"]["ratio"] or 0.0) <= 0:
        why.append(
            f"it repairs {found['count']:.1f} of {found['of']} findings and induces {induced['count']:.1f} of "
            f"{induced['of']} seeds: the improvement is {told['improvement']['ratio'] or 0.0:.2%}"
        )
    if hard["of"] and found["ratio"] is not None and hard["ratio"] >= found["ratio"]:
        why.append(
            f"near the boundary it spoils more than it repairs: {hard['ratio']:.2%} of {hard['of']} hard negatives, "
            f"and {found['ratio']:.2%} of {found['of']} findings"
        )
    return why


def _result(
    gathered: Gathered, rows: Rows, facts: dict[str, Any], asked: Asked, measured: _Measured, final: Final
) -> dict[str, Any]:
    names = list(asked.heads)
    best = measured.of(names, always=False)
    deployed = best if len(names) == 1 else measured.of([final.name], always=False)
    said = measured.said(final.name, final.fitted)
    agreeing = rows.of(SEED, HARD) & rows.agreeing
    return {
        "schema": SCHEMA,
        **_models(gathered),
        "classes": rows.width,
        "runs": list(gathered.runs),
        "settings": asked.written(),
        "counts": {**dict(counted(rows)), "groups": len(np.unique(rows.groups)), "left_out": dict(gathered.left_out)},
        "beside": facts,
        "heads": [_of_head(name, measured) for name in names],
        "best": measured.figures(best),
        "deployed": {
            "head": final.name,
            **written(final.chosen),
            "statement": final.chosen.told(),
            "facts": dict(final.fitted.facts),
            "figures": measured.figures(deployed),
        },
        "curve": curve_of(rows, said, curve(said.advantages[agreeing])),
        "bound": bound(rows, asked.table.max_inducing, stream_of(asked.table.seed, 7)),
        "explained": explained(rows, deployed[0].after),
        "generalisation": generalised(rows, asked.heads[final.name], asked.table, measured.tick),
    }


def _of_head(name: str, measured: _Measured) -> dict[str, Any]:
    head = measured.asked.heads[name]
    return {
        "name": name,
        "always": measured.figures(measured.of([name], always=True)),
        "bounded": measured.figures(measured.of([name], always=False)),
        "versions": dict(head.versions()),
    }


def _models(gathered: Gathered) -> dict[str, Any]:
    return {
        role: {"name": facts["file"], "sha256": facts["sha256"], "bytes": facts["bytes"]}
        for role, facts in gathered.pair.models.items()
    }


def _write_head(folder: Path, final: Final, result: Mapping[str, Any]) -> None:
    """Write the head, and what a profile names to deploy it."""
    final.fitted.save(folder / HEAD)
    deployed = result["deployed"]
    repair_json = {
        "use": final.name,
        "head": HEAD,
        "threshold": final.chosen.threshold,
        "classes": result["classes"],
        "states": result["classes"],
        "candidate": result["candidate"],
        "reference": result["reference"],
        "facts": {**deployed["facts"], "statement": deployed["statement"], "taught": list(TAUGHT)},
        "settings": result["settings"],
    }
    write_json(folder / REPAIR, repair_json)
