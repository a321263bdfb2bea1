"""The profile of an environment matrix: `[matrix]`, its variants and their products."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen, validators

from dltf.errors import ProfileError, nearest
from dltf.profile import model
from dltf.profile.read import read_tree
from dltf.profile.source import Tree, load, override
from dltf.profile.structure import structure
from dltf.profile.variants import Cell, cell_of, pins_threads, products

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dltf.host import Host

    Table = dict[str, Any]

TABLES = ("campaign", "domain", "seeds", "oracle", "matrix")


@frozen
class MatrixTable:
    """`[matrix]`, beside its variants, and the tables `input` and `output` of all of them."""

    source: Path | None = None  # the file that variants begin with, unless they name another
    reference: str = ""  # the variant that others are compared with; empty: the first
    repetitions: int = field(default=30, validator=validators.ge(0))  # rounds of timing; 0: no timing
    batch: int = field(default=32, validator=validators.ge(1))  # inputs that variants see at once
    threads: int = field(default=1, validator=validators.ge(1))  # of every runtime that has such a setting
    calibration: int = field(default=100, validator=validators.ge(1))  # seeds for converters that need them
    convert_timeout_s: float = field(default=900.0, validator=validators.gt(0.0))
    call_timeout_s: float = field(default=60.0, validator=validators.gt(0.0))  # for each batch
    tolerance: float | None = field(  # of outputs, relative and absolute alike; None: by the precision
        default=None, validator=validators.optional(validators.ge(0.0))
    )
    worst: int = field(default=50, validator=validators.ge(0))  # inputs that the report lists


@frozen
class MatrixGate:
    """`[[matrix.gates]]`: a bound on a figure of variants, or `no_worse` than the same variant of a stored run.

    `figure` is a key of a variant in matrix.json, by dots: "accuracy", "figures.labels.share", "verdict",
    "timing.1.median_s". A bound on the verdict is one of its levels, by `at_most`.
    """

    figure: str
    variant: str = "*"  # a name, or a pattern with * and ?
    at_least: float | None = None
    at_most: float | str | None = None
    no_worse: float | None = field(  # by this share at most than in the run that --baseline names
        default=None, validator=validators.optional(validators.ge(0.0))
    )

    def __attrs_post_init__(self) -> None:
        if self.at_least is None and self.at_most is None and self.no_worse is None:
            raise ValueError("give at_least, at_most or no_worse")
        for name, bound in (("at_least", self.at_least), ("at_most", self.at_most)):
            if self.figure == "verdict" and bound is not None and (name == "at_least" or not isinstance(bound, str)):
                raise ValueError(f"'{name}' must be left out, or be a verdict by at_most: {bound}")
            if self.figure != "verdict" and bound is not None and (isinstance(bound, str) or not isfinite(bound)):
                raise ValueError(f"'{name}' must be a finite number: {bound}")

    def of(self, names: Sequence[str]) -> list[str]:
        """Return the variants that it is for."""
        return fnmatch.filter(names, self.variant)


@frozen
class MatrixProfile:
    """A matrix that fits: names found and settings checked as far as can be done before anything is converted."""

    campaign: model.CampaignTable
    matrix: MatrixTable
    cells: tuple[Cell, ...]
    reference: str
    gates: tuple[MatrixGate, ...]
    _tree: Tree
    _host: Host

    def profile_of(self, first: tuple[Cell, Path], second: tuple[Cell, Path] | None = None) -> model.Profile:
        """Return the profile of a campaign on one or two cells, each with the file that it came to."""
        return _pair(self._tree, self._host, first, second or first)


def read_matrix(file: Path, host: Host, overrides: Iterable[str] = ()) -> MatrixProfile:
    """Read a matrix profile; raise one `ProfileError` with all complaints."""
    tree = override(load(file), overrides)
    wrong = [
        f"{tree.told_by((key,))}: {key}: there is no such table{nearest(key, TABLES)}"
        for key in tree.tables
        if key not in TABLES
    ]
    table = tree.tables.get("matrix")
    if not isinstance(table, dict):
        raise ProfileError([*wrong, f"{tree.name}: the table [matrix] is missing, or is none"])
    settings, complaints = _settings(tree, table)
    cells, more = _cells(tree, host, table, settings)
    gates, about_gates = _gates(tree, table, [cell.name for cell in cells])
    wrong += [*complaints, *more, *about_gates]
    reference = settings.reference or (cells[0].name if cells else "")
    if cells and reference not in {cell.name for cell in cells}:
        wrong.append(
            f'{tree.told_by(("matrix", "reference"))}: matrix.reference = "{reference}": there is no such variant'
            f"{nearest(reference, [cell.name for cell in cells])}"
        )
    if wrong:
        raise ProfileError(list(dict.fromkeys(wrong)))
    campaign = _checked(tree, host, cells)
    return MatrixProfile(campaign, settings, tuple(cells), reference, gates, tree, host)


def _settings(tree: Tree, table: Table) -> tuple[MatrixTable, list[str]]:
    own = {key: value for key, value in table.items() if key not in ("variants", "input", "output", "gates")}
    settings, wrong = structure(MatrixTable, own, lambda key: tree.folder(("matrix", key)))
    told = [f"{tree.told_by(('matrix', *at))}: {'.'.join(('matrix', *at))}: {message}" for at, message in wrong]
    return (MatrixTable() if settings is None else settings), told


def _gates(tree: Tree, table: Table, names: Sequence[str]) -> tuple[tuple[MatrixGate, ...], list[str]]:
    gates, told = [], []
    for number, given in enumerate(table.get("gates", [])):
        gate, wrong = structure(MatrixGate, given if isinstance(given, dict) else {}, lambda _: Path())
        at = f"{tree.told_by(('matrix', 'gates'))}: matrix.gates.{number}"
        told += [f"{at}.{'.'.join(below)}: {message}" for below, message in wrong]
        if gate is not None and not gate.of(names):
            told.append(f'{at}.variant = "{gate.variant}": there is no such variant{nearest(gate.variant, names)}')
        gates += [] if gate is None else [gate]
    return tuple(gates), told


def _cells(tree: Tree, host: Host, table: Table, settings: MatrixTable) -> tuple[list[Cell], list[str]]:
    variants = table.get("variants", [])
    if not isinstance(variants, list) or not variants or not all(isinstance(one, dict) for one in variants):
        at = f"{tree.told_by(('matrix',))}: matrix.variants"
        return [], [f"{at}: write each as a table of its own: [[matrix.variants]]"]
    cells: list[Cell] = []
    told: list[str] = []
    folder = tree.folder(("matrix", "variants"))
    for number, variant in enumerate(variants):
        at = f"{tree.told_by(('matrix', 'variants'))}: matrix.variants.{number}"
        try:
            every = list(products(variant))
        except ProfileError as error:
            told += [f"{at}{complaint}" for complaint in error.complaints]
            continue
        for one in every:
            try:
                cells.append(cell_of(host, folder, one, table, settings.source))
            except ProfileError as error:
                told += [f"{at}{complaint}" for complaint in error.complaints]
    names = [cell.name for cell in cells]
    told += [f'{tree.name}: two variants are called "{name}"' for name in dict.fromkeys(names) if names.count(name) > 1]
    return cells, told


def _checked(tree: Tree, host: Host, cells: Sequence[Cell]) -> model.CampaignTable:
    """Check every cell's settings before anything is converted: its source stands for what will be made of it."""
    complaints: list[str] = []
    campaign: model.CampaignTable | None = None
    for cell in cells:
        if cell.wrong:
            continue
        backend = cell.table.get("backend")
        if isinstance(backend, str) and backend not in host.shelves["dltf_model_backends"].items:
            continue  # told when it is its turn: the others go on
        try:
            campaign = _pair(tree, host, (cell, cell.source), (cell, cell.source)).campaign
        except ProfileError as error:
            complaints += _of(cell, error.complaints)
    if complaints:
        raise ProfileError(list(dict.fromkeys(complaints)))
    if campaign is None:
        given = dict(tree.tables.get("campaign", {}))
        campaign, wrong = structure(model.CampaignTable, given, lambda key: tree.folder(("campaign", key)))
        if campaign is None:
            raise ProfileError([f"{tree.name}: campaign.{'.'.join(at)}: {message}" for at, message in wrong])
    return campaign


def _of(cell: Cell, complaints: Sequence[str]) -> list[str]:
    """Return complaints in the words of the matrix: those of the candidate are the reference's again."""
    return [
        complaint.replace("models.reference", f'matrix.variants "{cell.name}"')
        for complaint in complaints
        if "models.candidate" not in complaint
    ]


def _pair(tree: Tree, host: Host, first: tuple[Cell, Path], second: tuple[Cell, Path]) -> model.Profile:
    tables = {key: value for key, value in tree.tables.items() if key != "matrix"}
    threads = tree.tables["matrix"].get("threads", MatrixTable().threads)
    models = {
        role: {**({"threads": threads} if pins_threads(host, cell) else {}), **cell.table, "file": str(file)}
        for role, (cell, file) in zip(("reference", "candidate"), (first, second), strict=True)
    }
    origins = dict(tree.origins)
    origins[("models",)] = origins.get(("matrix", "variants"), origins.get(("matrix",)))
    search = {"max_queries": 0} if first == second else {}
    return read_tree(Tree({**tables, "models": models, "search": search}, origins, tree.name), host)
