"""A matrix: every variant converted, run on the same seeds, compared with the reference, and timed.

What a cell came to is kept under a hash of all that it depends on, so that a matrix that was interrupted goes on where
it stood, and one with another variant runs that variant alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from attrs import define, frozen

from dltf.campaign.environment import environment
from dltf.campaign.opening import model_of, open_seeds
from dltf.campaign.selection import select
from dltf.errors import ConversionError, DltfError, MissingPackageError, ProfileError, RunFolderError, SeedError
from dltf.matrix.cells import Ran, cell_key, failed, keep, kept, run_cell
from dltf.matrix.clock import timed
from dltf.matrix.convert import Converted, convert
from dltf.matrix.told import written
from dltf.matrix.verdict import NOT_CONVERTED, NOT_HERE, NOT_LOADED
from dltf.profile.backends import backend_of
from dltf.profile.variants import Cell
from dltf.store.folder import write_json
from dltf.values import Seed, digest_of
from dltf.variant import Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.profile.matrix import MatrixProfile

RESULT = "matrix.json"
_KEPT = ("models", "outputs")

Told = Callable[[str, int, int], None]  # what is done, of how many


@define(eq=False)
class Row:
    """One variant on its way through a matrix."""

    cell: Cell
    converted: Converted | None = None
    profile: Profile | None = None
    ran: Ran | None = None


@frozen(eq=False)
class Known:
    """The seeds of a matrix, read once."""

    cases: list[int]
    seeds: list[Seed]
    skipped: int
    digest: str
    calibration: list[Seed]
    calibration_digest: str
    apart: bool  # calibration seeds are none of those that variants are compared on


def run_matrix(
    profile: MatrixProfile, host: Host, folder: Path, told: Told = lambda what, done, total: None
) -> dict[str, Any]:
    """Run a matrix in a folder, going on with what is there; return what `matrix.json` holds."""
    folder = folder.absolute()  # files of the profile are looked for beside it
    rows = [Row(cell) for cell in profile.cells]
    known = _seeds_of(profile, rows)
    for name in _KEPT:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        told(f"converting {row.cell.name}", number, len(rows))
        _prepare(row, profile, host, folder, known)
    for row in rows:
        _run(row, profile, folder, known, told)
    timing = timed(rows, profile, known.seeds, told) if profile.matrix.repetitions else None
    result = written(profile, host, rows, known) | {"environment": environment(host)}
    if timing is not None:
        for one in result["variants"]:
            one["timing"] = timing.variants.get(one["name"])
        result["timing"] = timing.told
    write_json(folder / RESULT, result)
    return result


def converted_pair(profile: MatrixProfile, host: Host, folder: Path, first: str, second: str) -> Profile:
    """Return the profile of a campaign on two variants of a matrix that was run: nothing is converted anew."""
    folder = folder.absolute()
    rows = [Row(cell) for cell in profile.cells]
    known = _seeds_of(profile, rows)
    named = {row.cell.name: row for row in rows}
    for name in (first, second):
        _prepare(named[name], profile, host, folder, known)
        ran = named[name].ran
        if ran is not None:
            raise ConversionError(f"{name} {ran.failure}: {ran.reason}")
    ends = [(row.cell, row.converted.file) for row in (named[first], named[second]) if row.converted is not None]
    return profile.profile_of(*ends)


def check_folder(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that holds something else, or a matrix that is not to be gone on with."""
    ours = {*_KEPT, RESULT, "report.html", "junit.xml"}
    there = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file", hint="name a folder with --out")
    if there - ours:
        raise RunFolderError(f"{folder} holds something else: {min(there - ours)}", hint="name a new or empty folder")
    if there and not resume:
        raise RunFolderError(f"{folder} holds a matrix", hint="go on with it by --resume, or name another with --out")


def _seeds_of(profile: MatrixProfile, rows: Sequence[Row]) -> Known:
    """Read every seed once, with those that converters are calibrated on: others where there are enough."""
    first = _any_profile(profile, rows)
    source, cases = open_seeds(first)
    seeds, read = [], []
    for case in cases:
        with suppress(SeedError):
            seeds.append(source[case])
            read.append(case)
    if not seeds:
        raise SeedError(f"none of the {len(cases)} seeds can be read", hint="see [seeds] in the profile")
    calibration: list[Seed] = []
    apart = False
    if any(step.converter.needs_seeds for row in rows for step in row.cell.steps):
        order = select(attrs.evolve(first.seeds, count=None), len(source), first.campaign.seed)
        others = order[len(cases) :]
        apart = len(others) >= profile.matrix.calibration
        for case in (others if apart else order)[: profile.matrix.calibration]:
            with suppress(SeedError):
                calibration.append(source[case])
    return Known(read, seeds, len(cases) - len(seeds), _digest(seeds), calibration, _digest(calibration), apart)


def _digest(seeds: Sequence[Seed]) -> str:
    return hashlib.sha256("".join(digest_of(seed.sample) for seed in seeds).encode()).hexdigest()


def _any_profile(profile: MatrixProfile, rows: Sequence[Row]) -> Profile:
    wrong: DltfError | None = None
    for row in rows:
        if not row.cell.wrong:
            try:
                return profile.profile_of((row.cell, row.cell.source))
            except ProfileError as error:
                wrong = wrong or error
    raise wrong or ProfileError([f"no variant can be had here; the first of them: {rows[0].cell.wrong}"])


def _prepare(row: Row, profile: MatrixProfile, host: Host, folder: Path, known: Known) -> None:
    """Convert a cell, and read how it is run; what goes wrong is its row."""
    if row.cell.wrong:
        row.ran = Ran(None, NOT_HERE, row.cell.wrong)
        return

    def prepared(file: Path) -> list[Mapping[str, NDArray[Any]]]:
        return _calibration(profile, host, row.cell, file, known.calibration)

    limit_s = profile.matrix.convert_timeout_s
    try:
        row.converted = convert(row.cell, folder / "models", prepared, known.calibration_digest, limit_s)
    except MissingPackageError as error:
        row.ran = failed(error, NOT_HERE)
        return
    except DltfError as error:
        row.ran = failed(error, NOT_CONVERTED)
        return
    try:
        row.profile = profile.profile_of((row.cell, row.converted.file))
    except ProfileError as error:
        reasons = [complaint for complaint in error.complaints if "models.candidate" not in complaint]
        absent = str(row.cell.table.get("backend")) not in host.shelves["dltf_model_backends"].items
        row.ran = Ran(None, NOT_HERE if absent else NOT_LOADED, "; ".join(reasons))


def _calibration(
    profile: MatrixProfile, host: Host, cell: Cell, file: Path, seeds: Sequence[Seed]
) -> list[Mapping[str, NDArray[Any]]]:
    """Return seeds as the model in this file is given them, one by one, by the backend that reads such files."""
    named, why = backend_of({"file": str(file)}, host)
    if named is None:
        raise ConversionError(f"{file.name} cannot be calibrated: its backend {why}")
    table = {key: cell.table[key] for key in ("input", "output") if key in cell.table} | {"backend": named}
    described = profile.profile_of((Cell(cell.name, file, (), table), file))
    model = model_of(described.reference, attrs.evolve(described.campaign, isolate=False))
    with Variant("calibration", model, described.domain.tensors) as variant:
        return [fed for seed in seeds for _, fed in variant.inputs_of([seed.sample], [seed.columns])]


def _run(row: Row, profile: MatrixProfile, folder: Path, known: Known, told: Told) -> None:
    if row.ran is not None:
        return
    assert row.profile is not None, "it was prepared"
    try:
        key = cell_key(row.profile, known.digest, profile.matrix.batch)
    except DltfError as error:
        row.ran = failed(error, NOT_LOADED)
        return
    file = folder / "outputs" / f"{key}.npz"
    row.ran = kept(file)
    total, done = len(known.seeds), 0

    def progressed(more: int) -> None:
        nonlocal done
        done += more
        told(f"running {row.cell.name}", done, total)

    if row.ran is None:
        row.ran = run_cell(row.profile, known.seeds, profile.matrix.batch, profile.matrix.call_timeout_s, progressed)
        if row.ran.outputs is not None:  # what failed may have more time, or room, by the next time
            keep(file, row.ran)
