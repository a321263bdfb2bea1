"""Conversions: each in a process of its own, within a time limit, and once for the same file and settings."""

from __future__ import annotations

import hashlib
import importlib
import json
import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from attrs import field, frozen

from dltf.errors import ConversionError, DltfError, MissingPackageError
from dltf.profile.structure import unstructure
from dltf.store.folder import write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.profile.variants import Cell, Step

    Inputs = Sequence[Mapping[str, NDArray[Any]]]


@frozen
class Converted:
    """What a chain came to: the file to run, and what each step did."""

    file: Path
    steps: tuple[Mapping[str, Any], ...] = field(factory=tuple)


@frozen
class Recorded:
    """A calibration that was written to a file: picklable, and read anew at each call."""

    file: Path

    def __call__(self) -> Iterator[dict[str, NDArray[Any]]]:
        with np.load(self.file, allow_pickle=False) as archive:
            rows: dict[int, dict[str, NDArray[Any]]] = {}
            for key in archive.files:
                number, _, name = key.partition("/")
                rows.setdefault(int(number), {})[name] = archive[key]
        yield from (rows[number] for number in sorted(rows))


def convert(
    cell: Cell, folder: Path, calibration_of: Callable[[Path], Inputs], calibration_digest: str, timeout_s: float
) -> Converted:
    """Convert a cell's source step by step; raise `ConversionError` with the step that could not.

    `calibration_of` prepares seeds as the model in a file wants them; `calibration_digest` tells which seeds they are.
    What was made before by the same settings and versions out of the same bytes is taken from `folder`.
    """
    file, told = cell.source, []
    for step in cell.steps:
        source = file
        suffixes = step.converter.reads
        if file.suffix.lower() not in suffixes:
            raise ConversionError(
                f"{step.use} reads {', '.join(suffixes)}, and {file.name} is none",
                hint="put another conversion before it",
            )
        key = _key(source, step, calibration_digest if step.converter.needs_seeds else "")
        made = folder / key
        facts = made / "facts.json"
        if not facts.exists():
            _make(step, source, made, calibration_of, timeout_s)
        record = json.loads(facts.read_text(encoding="utf-8"))
        file = made / record["file"]
        told.append({name: value for name, value in record.items() if name != "file"})
    return Converted(file, tuple(told))


def _make(step: Step, source: Path, made: Path, calibration_of: Callable[[Path], Inputs], timeout_s: float) -> None:
    half = made.with_name(f".{made.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    seeds = half.parent / f".{made.name}.seeds.npz"
    try:
        calibration = _written(seeds, calibration_of(source)) if step.converter.needs_seeds else None
        out = half / f"{source.stem}{step.converter.writes}"
        began = time.monotonic()
        facts = _in_its_own_process(step, source, out, calibration, timeout_s)
        seconds = time.monotonic() - began
        if not out.is_file():
            raise ConversionError(f"{step.use} made no file of {source.name}")
        sizes = sum(one.stat().st_size for one in half.iterdir())
        versions = dict(step.converter.versions())
        record = {"use": step.use, "facts": facts, "seconds": seconds, "bytes": sizes, "versions": versions}
        write_json(half / "facts.json", {**record, "file": out.name})
        half.replace(made)
    finally:
        shutil.rmtree(half, ignore_errors=True)
        seeds.unlink(missing_ok=True)


def _written(file: Path, inputs: Inputs) -> Recorded:
    arrays = {f"{number:06d}/{name}": rows for number, one in enumerate(inputs) for name, rows in one.items()}
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return Recorded(file)


def _key(source: Path, step: Step, calibration: str) -> str:
    with source.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    beside = [
        hashlib.sha256(one.read_bytes()).hexdigest()
        for one in sorted(source.parent.glob(f"{source.stem}*"))
        if one != source and one.suffix in (".bin", ".data", ".weights")
    ]
    settings = {"use": step.use, **unstructure(step.converter)}
    told = [digest, *beside, settings, dict(step.converter.versions()), calibration]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _in_its_own_process(
    step: Step, source: Path, out: Path, calibration: Recorded | None, timeout_s: float
) -> dict[str, Any]:
    cls: Any = type(step.converter)
    settings = {f.name: getattr(step.converter, f.name) for f in attrs.fields(cls) if f.init}
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    what = (cls.__module__, cls.__qualname__, settings, source, out, calibration)
    process = context.Process(target=_serve, args=(theirs, *what), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(timeout_s):
            raise ConversionError(
                f"{step.use} did not end within {timeout_s:g} s, and was ended", hint="raise matrix.convert_timeout_s"
            )
        kind, answer = ours.recv()
    except (EOFError, ConnectionError) as error:
        process.join(5.0)
        raise ConversionError(f"{step.use} ended its process (exit status {process.exitcode})") from error
    finally:
        process.kill()
        process.join()
    if kind == "missing":
        raise MissingPackageError(*answer[:1], hint=answer[1])
    if kind == "wrong":
        raise ConversionError(f"{step.use}: {answer[0]}", hint=answer[1])
    facts: dict[str, Any] = answer
    return facts


def _serve(
    pipe: Connection,
    module: str,
    name: str,
    settings: Mapping[str, Any],
    source: Path,
    out: Path,
    calibration: Recorded | None,
) -> None:
    """Convert, and say how it went; whatever it prints goes nowhere."""
    import contextlib
    import io

    answer: tuple[str, Any]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            converter = getattr(importlib.import_module(module), name)(**settings)
            answer = "done", dict(converter.convert(source, out, calibration))
    except MissingPackageError as error:
        answer = "missing", (error.message, error.hint)
    except DltfError as error:
        answer = "wrong", (error.message, error.hint)
    except Exception as error:  # a converter may fail in any way: it is a row of the matrix
        answer = "wrong", (f"{type(error).__name__}: {error}", "")
    pipe.send(answer)
