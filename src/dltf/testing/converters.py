"""What converters promise: equal inputs give equal files, beside nothing else, and a refusal says why."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from dltf.errors import ConversionError, ModelFileError
from dltf.testing.promise import Subject, global_randomness_untouched, hold, read_only

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.contracts import Converter
    from dltf.testing.examples import ConversionExample

_SCRIPT = """
import pickle, sys

with open(sys.argv[1], "rb") as file:
    converter, source, out, samples = pickle.load(file)
converter.convert(source, out, None if samples is None else lambda: iter(samples))
"""


@frozen
class Seeds:
    """A calibration: a fresh iterator over these samples at each call, which counts what is read."""

    samples: Sequence[Mapping[str, NDArray[Any]]]
    read: list[int] = attrs.field(factory=list)

    def __call__(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        for number, sample in enumerate(self.samples):
            self.read.append(number)
            yield {name: read_only(array) for name, array in sample.items()}


# --- what it tells -----------------------------------------------------------------------------------------------


def its_suffixes_are_told(subject: Subject) -> None:
    """It tells the suffixes of what it reads and writes, and whether it needs seeds; the examples are of those."""
    __tracebackhide__ = True
    target = subject.component.load()
    reads, writes = target.reads, target.writes
    told = isinstance(reads, tuple) and reads and all(_is_suffix(text) for text in reads)
    hold(told, f'"{subject.name}": reads is {reads!r}, not a tuple like (".onnx",)')
    hold(_is_suffix(writes), f'"{subject.name}": writes is {writes!r}, not a suffix like ".onnx"')
    needs = target.needs_seeds
    hold(isinstance(needs, bool), f'"{subject.name}": needs_seeds is {needs!r}, neither True nor False')
    strange = [example.source.name for example in _examples(subject) if example.source.suffix not in reads]
    hold(not strange, f'"{subject.name}" reads {reads}, and the examples are {strange}')


def it_tells_its_versions(subject: Subject) -> None:
    """The versions of the packages that convert are text, and there is one."""
    __tracebackhide__ = True
    versions = subject.make().versions()
    told = versions and all(isinstance(text, str) and text for pair in versions.items() for text in pair)
    hold(told, f'"{subject.name}" does not tell its versions as text by distribution: {versions!r}')


def its_facts_are_for_the_record(subject: Subject) -> None:
    """What it returns are facts, by name, that JSON can hold."""
    __tracebackhide__ = True
    for example in _examples(subject):
        facts = _convert(subject, example, _folder(subject, "facts"))
        try:
            again = json.loads(json.dumps(facts, allow_nan=False))
        except (TypeError, ValueError) as error:
            hold(False, f'the facts of "{subject.name}" do not fit into JSON ({error}): {facts!r}')
        hold(isinstance(again, dict) and again, f'"{subject.name}" returns no facts by name: {facts!r}')


# --- what it writes ----------------------------------------------------------------------------------------------


def it_writes_what_it_was_asked_for(subject: Subject) -> None:
    """There is a file `out`, and beside it only files whose names begin with its stem."""
    __tracebackhide__ = True
    for example in _examples(subject):
        folder = _folder(subject, "written")
        _convert(subject, example, folder)
        out = _out(subject, folder)
        hold(out.is_file() and out.stat().st_size > 0, f'"{subject.name}" did not write {out.name}')
        strange = sorted(path.name for path in folder.iterdir() if not path.name.startswith(out.stem))
        hold(
            not strange, f'"{subject.name}" writes {strange} beside {out.name}: only names that begin with "{out.stem}"'
        )


def it_leaves_the_rest_alone(subject: Subject) -> None:
    """The source and what lies beside it, the working folder, the temporary folder and global randomness stay."""
    __tracebackhide__ = True
    for example in _examples(subject):
        before = _contents(example.source.parent)
        working, temporary = _folder(subject, "working"), _folder(subject, "temporary")
        with contextlib.chdir(working), _temporary(temporary), global_randomness_untouched(subject.name):
            _convert(subject, example, _folder(subject, "out"))
        hold(_contents(example.source.parent) == before, f'"{subject.name}" changes the folder of its source')
        for folder in (working, temporary):
            left = sorted(_contents(folder))
            hold(not left, f'"{subject.name}" leaves files in the {folder.name} folder: {left}')


def equal_inputs_give_equal_files(subject: Subject) -> None:
    """Converted again, in a process of its own, every file is the same, byte for byte."""
    __tracebackhide__ = True
    for example in _examples(subject):
        here, there = _folder(subject, "here"), _folder(subject, "there")
        _convert(subject, example, here)
        _convert_apart(subject, example, there)
        ours, theirs = _contents(here), _contents(there)
        differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        hold(not differing, f'"{subject.name}" makes other bytes in another process: {differing}')


# --- what it refuses ---------------------------------------------------------------------------------------------


def a_missing_file_is_refused(subject: Subject) -> None:
    """With a `ConversionError` or `ModelFileError` that names the file."""
    __tracebackhide__ = True
    _refuses(subject, "missing", lambda data: None)


def an_empty_file_is_refused(subject: Subject) -> None:
    """With a `ConversionError` or `ModelFileError` that names the file, and nothing is written."""
    __tracebackhide__ = True
    _refuses(subject, "empty", lambda data: b"")


def a_garbage_file_is_refused(subject: Subject) -> None:
    """With a `ConversionError` or `ModelFileError` that names the file, and nothing is written."""
    __tracebackhide__ = True
    _refuses(subject, "garbage", lambda data: bytes(range(256)) * 16)


def a_truncated_file_is_refused(subject: Subject) -> None:
    """With a `ConversionError` or `ModelFileError` that names the file, and nothing is written."""
    __tracebackhide__ = True
    _refuses(subject, "truncated", lambda data: data[: len(data) // 2])


def it_reads_seeds_where_it_needs_them(subject: Subject) -> None:
    """A converter that needs seeds reads them, and raises `ConversionError` where there is none."""
    __tracebackhide__ = True
    for example in _examples(subject) if subject.component.load().needs_seeds else ():
        seeds = Seeds(example.calibration)
        subject.make().convert(example.source, _out(subject, _folder(subject, "seeds")), seeds)
        hold(seeds.read, f'"{subject.name}" says that it needs seeds, and reads none')
        out = _out(subject, _folder(subject, "unseeded"))
        error = _error(subject.make(), example.source, out, Seeds(()))
        hold(isinstance(error, ConversionError), f'"{subject.name}" {_told(error)} without seeds, not ConversionError')
        hold(not out.exists(), f'"{subject.name}" refuses to convert without seeds, and leaves a file behind')


# --- helpers -----------------------------------------------------------------------------------------------------


def _examples(subject: Subject) -> list[ConversionExample]:
    __tracebackhide__ = True
    examples = list(subject.given("conversions", subject.examples.conversions))
    for example in examples:
        sizes = {array.shape[:1] for sample in example.calibration for array in sample.values()}
        needs = subject.component.load().needs_seeds
        hold(example.calibration or not needs, f'give seeds for "{subject.name}": ConversionExample(…, calibration=…)')
        hold(sizes <= {(1,)}, f"give one sample each [1, …] as the calibration of {example.source.name}")
    return examples


def _folder(subject: Subject, name: str) -> Path:
    """Make an empty folder; the examples of a component get one each."""
    parent = subject.folder / f"{len(list(subject.folder.iterdir()))}"
    (parent / name).mkdir(parents=True)
    return parent / name


def _out(subject: Subject, folder: Path) -> Path:
    return folder / f"converted{subject.component.load().writes}"


def _seeds(subject: Subject, example: ConversionExample) -> Seeds | None:
    return Seeds(example.calibration) if subject.component.load().needs_seeds else None


def _convert(subject: Subject, example: ConversionExample, folder: Path) -> Mapping[str, Any]:
    converter: Converter = subject.make()
    return converter.convert(example.source, _out(subject, folder), _seeds(subject, example))


def _convert_apart(subject: Subject, example: ConversionExample, folder: Path) -> None:
    """Convert in a fresh interpreter, where strings have other hashes."""
    __tracebackhide__ = True
    seeds = _seeds(subject, example)
    samples = None if seeds is None else list(seeds())
    task = _folder(subject, "task") / "task.pickle"
    task.write_bytes(pickle.dumps((subject.make(), example.source, _out(subject, folder), samples)))
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, task],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    hold(done.returncode == 0, f'"{subject.name}" cannot convert in a process of its own:\n{done.stderr}')


def _refuses(subject: Subject, what: str, spoil: Any) -> None:
    __tracebackhide__ = True
    for example in _examples(subject):
        source = _folder(subject, "broken") / f"{what}{example.source.suffix}"
        data = spoil(example.source.read_bytes())
        if data is not None:
            source.write_bytes(data)
        out = _out(subject, _folder(subject, "refused"))
        error = _error(subject.make(), source, out, _seeds(subject, example))
        fits = isinstance(error, (ConversionError, ModelFileError))
        hold(fits, f'"{subject.name}" {_told(error)} for a file that is {what}, not ConversionError or ModelFileError')
        hold(source.name in str(error), f'"{subject.name}" does not name the file that is {what}: {error}')
        hold(not out.exists(), f'"{subject.name}" refuses the {what} file, and leaves {out.name} behind')


def _error(converter: Converter, source: Path, out: Path, seeds: Seeds | None) -> Exception | None:
    try:
        converter.convert(source, out, seeds)
    except Exception as error:
        return error
    return None


def _told(error: Exception | None) -> str:
    return "raises nothing" if error is None else f"raises {type(error).__name__} ({error})"


def _is_suffix(text: object) -> bool:
    return isinstance(text, str) and text.startswith(".") and len(text) > 1


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Make this the folder of temporary files."""
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


PROMISES = (
    its_suffixes_are_told,
    it_tells_its_versions,
    its_facts_are_for_the_record,
    it_writes_what_it_was_asked_for,
    it_leaves_the_rest_alone,
    equal_inputs_give_equal_files,
    a_missing_file_is_refused,
    an_empty_file_is_refused,
    a_garbage_file_is_refused,
    a_truncated_file_is_refused,
    it_reads_seeds_where_it_needs_them,
)
