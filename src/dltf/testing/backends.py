"""What model backends promise: honest targets, errors with a cure, and the same bits every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import DltfError, ModelFileError, RuntimeFailedError, TargetUnavailableError
from dltf.testing.promise import Subject, hold, read_only, same
from dltf.values import NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from dltf.contracts import Runner
    from dltf.testing.examples import ModelExample


# --- the machine -------------------------------------------------------------------------------------------------


def its_targets_are_honest(subject: Subject) -> None:
    """Each target is listed once and summed up, usable or with the reason why not; the default is usable."""
    __tracebackhide__ = True
    targets = subject.make().targets()
    names = [target.name for target in targets]
    hold(targets and targets[0].usable, f'the default target of "{subject.name}" is not usable: {targets[:1]}')
    hold(len(set(names)) == len(names), f'"{subject.name}" lists a target twice: {names}')
    nameless = [target for target in targets if not (target.name and target.summary)]
    hold(not nameless, f'"{subject.name}" has targets without a name or a summary: {nameless}')


def it_tells_its_versions(subject: Subject) -> None:
    """The versions of the packages that run the model are text, and there is one."""
    __tracebackhide__ = True
    versions = subject.make().versions()
    told = versions and all(isinstance(text, str) and text for pair in versions.items() for text in pair)
    hold(told, f'"{subject.name}" does not tell its versions as text by distribution: {versions!r}')


def an_unknown_target_is_refused(subject: Subject) -> None:
    """A target that is not here raises `TargetUnavailableError`, which names those that are."""
    __tracebackhide__ = True
    backend = subject.make()
    for example in _examples(subject):
        error = _error(lambda example=example: backend.open(example.file, "no-such-target"))  # type: ignore[misc]
        _expect(subject, error, TargetUnavailableError, "an unknown target")
        known = [target.name for target in backend.targets() if target.usable]
        hold(any(name in str(error) for name in known), f'"{subject.name}" names no target that would do: {error}')


def an_unusable_target_says_why(subject: Subject) -> None:
    """A target that is known and not usable raises `TargetUnavailableError` too: nothing falls back in silence."""
    __tracebackhide__ = True
    backend = subject.make()
    file = _examples(subject)[0].file
    for target in backend.targets():
        if not target.usable:
            error = _error(lambda name=target.name: backend.open(file, name))  # type: ignore[misc]
            _expect(subject, error, TargetUnavailableError, f'the unusable target "{target.name}"')


# --- files -------------------------------------------------------------------------------------------------------


def it_is_found_by_suffixes(subject: Subject) -> None:
    """The suffixes of its files are told, and those of the examples are among them; without any it has to be named."""
    __tracebackhide__ = True
    suffixes = subject.component.load().suffixes
    told = isinstance(suffixes, tuple) and all(isinstance(text, str) and text.startswith(".") for text in suffixes)
    hold(told, f'"{subject.name}": suffixes are {suffixes!r}, not a tuple like (".onnx",)')
    if suffixes and _needs_file(subject):
        strange = [example.file.name for example in _examples(subject) if example.file.suffix not in suffixes]
        hold(not strange, f'"{subject.name}" is found by {suffixes}, and reads {strange}')


def it_names_its_files(subject: Subject) -> None:
    """Where it says which files a model is made of, they are there."""
    __tracebackhide__ = True
    backend = subject.make()
    if hasattr(backend, "files"):
        for example in _examples(subject):
            files = list(backend.files(example.file))
            hold(files and all(file.is_file() for file in files), f'"{subject.name}" names files that are not: {files}')


def a_missing_file_is_a_model_file_error(subject: Subject) -> None:
    """The message names the file."""
    __tracebackhide__ = True
    _refuses(subject, "missing", None)


def an_empty_file_is_a_model_file_error(subject: Subject) -> None:
    """The message names the file."""
    __tracebackhide__ = True
    _refuses(subject, "empty", b"")


def a_garbage_file_is_a_model_file_error(subject: Subject) -> None:
    """The message names the file, and the process lives."""
    __tracebackhide__ = True
    _refuses(subject, "garbage", bytes(range(256)) * 16)


def a_truncated_file_is_a_model_file_error(subject: Subject) -> None:
    """Half of a model is no model: the message names the file, and the process lives."""
    __tracebackhide__ = True
    for example in _examples(subject) if _needs_file(subject) else ():
        data = example.file.read_bytes()
        _refuses(subject, "truncated", data[: len(data) // 2])


# --- runners -----------------------------------------------------------------------------------------------------


def its_specs_match_its_arrays(subject: Subject) -> None:
    """Names, dtypes and sizes of inputs and outputs are those of the arrays."""
    __tracebackhide__ = True
    for runner, inputs in _opened(subject):
        outputs = runner.run(inputs)
        hold(isinstance(runner.notes, tuple), f'"{subject.name}": notes is no tuple: {runner.notes!r}')
        pairs = [(runner.inputs, inputs)] if runner.inputs else []
        pairs += [(runner.outputs, outputs)] if runner.inputs or runner.outputs else []
        takes = runner.inputs or set(inputs) == {NATIVE}
        hold(takes, f'"{subject.name}" takes samples as they are: give inputs={{"{NATIVE}": …}}')
        for specs, arrays in pairs:
            hold(
                {spec.name for spec in specs} == set(arrays),
                f'"{subject.name}" tells the specs {[str(spec) for spec in specs]} of {sorted(arrays)}',
            )
            for spec in specs:
                array = arrays[spec.name]
                sizes = zip(spec.shape[1:], array.shape[1:], strict=False)
                fits = len(spec.shape) == array.ndim and all(told in (None, size) for told, size in sizes)
                hold(
                    fits and spec.dtype == array.dtype.name,
                    f'"{subject.name}" tells {spec} of an array {array.dtype}{list(array.shape)}',
                )


def a_batch_gives_a_row_for_each_input(subject: Subject) -> None:
    """One input gives one row, n inputs n, in every output."""
    __tracebackhide__ = True
    for runner, inputs in _opened(subject):
        for n in (1, 2, _size(inputs)):
            sizes = {name: array.shape[:1] for name, array in runner.run(_rows(inputs, slice(n))).items()}
            hold(all(size == (n,) for size in sizes.values()), f'"{subject.name}" gives {sizes} for a batch of {n}')


def running_again_gives_the_same_bits(subject: Subject) -> None:
    """The same batch gives the same outputs: again, opened anew, and beside a second runner."""
    __tracebackhide__ = True
    for (first, inputs), (second, _) in zip(_opened(subject), _opened(subject), strict=True):
        ours = _copied(first.run(inputs))
        for runner in (second, first):
            hold(_equal(ours, runner.run(inputs)), f'"{subject.name}" answers a batch differently the second time')


def outputs_and_inputs_are_left_alone(subject: Subject) -> None:
    """A later run writes neither to earlier outputs nor to its inputs."""
    __tracebackhide__ = True
    for runner, inputs in _opened(subject):
        given = {name: array.copy() for name, array in inputs.items()}
        outputs = runner.run(given)
        kept = _copied(outputs)
        runner.run(_rows(inputs, slice(None, None, -1)))
        hold(_equal(kept, outputs), f'"{subject.name}" writes to the outputs of an earlier run: return copies')
        hold(_equal(inputs, given), f'"{subject.name}" writes to its inputs')


def it_runs_in_another_thread(subject: Subject) -> None:
    """The host runs both variants at the same time, each in a thread of its own."""
    __tracebackhide__ = True
    for runner, inputs in _opened(subject):
        ours = _copied(runner.run(inputs))
        with ThreadPoolExecutor(max_workers=1) as pool:
            theirs = pool.submit(runner.run, inputs).result()
        hold(_equal(ours, theirs), f'"{subject.name}" answers differently in another thread')


def a_closed_runner_refuses(subject: Subject) -> None:
    """After its block, a runner raises `RuntimeFailedError`."""
    __tracebackhide__ = True
    for runner, inputs in [*_opened(subject)]:
        error = _error(lambda runner=runner, inputs=inputs: runner.run(inputs))  # type: ignore[misc]
        _expect(subject, error, RuntimeFailedError, "a run after the block was left")


# --- helpers -----------------------------------------------------------------------------------------------------


def _examples(subject: Subject) -> list[ModelExample]:
    __tracebackhide__ = True
    examples = list(subject.given("models", subject.examples.models))
    for example in examples:
        hold(_size(example.inputs) >= 2, f"give two inputs at least for {example.file.name}")
    return examples


def _opened(subject: Subject) -> Iterator[tuple[Runner, Mapping[str, NDArray[Any]]]]:
    """Open each example, and close it when the next one is asked for."""
    __tracebackhide__ = True
    backend = subject.make()
    for example in _examples(subject):
        inputs = {name: read_only(array) for name, array in example.inputs.items()}
        with backend.open(example.file, example.target or backend.targets()[0].name) as runner:
            yield runner, inputs


def _refuses(subject: Subject, what: str, data: bytes | None) -> None:
    __tracebackhide__ = True
    backend = subject.make()
    for example in _examples(subject) if _needs_file(subject) else ():
        file = subject.folder / f"{what}{example.file.suffix}"
        if data is not None:
            file.write_bytes(data)
        target = example.target or backend.targets()[0].name
        error = _error(lambda file=file, target=target: backend.open(file, target))  # type: ignore[misc]
        _expect(subject, error, ModelFileError, f"a {what} file")
        hold(file.name in str(error), f'"{subject.name}" does not name the {what} file: {error}')


def _needs_file(subject: Subject) -> bool:
    return bool(getattr(subject.component.load(), "needs_file", True))


def _error(act: Callable[[], object]) -> Exception | None:
    try:
        act()
    except Exception as error:
        return error
    return None


def _expect(subject: Subject, error: Exception | None, kind: type[DltfError], what: str) -> None:
    __tracebackhide__ = True
    got = "nothing" if error is None else f"{type(error).__name__} ({error})"
    hold(isinstance(error, kind), f'"{subject.name}" raises {got} for {what}, not {kind.__name__}')


def _size(inputs: Mapping[str, NDArray[Any]]) -> int:
    return min((len(array) for array in inputs.values()), default=0)


def _rows(inputs: Mapping[str, NDArray[Any]], rows: slice) -> dict[str, NDArray[Any]]:
    return {name: read_only(array[rows]) for name, array in inputs.items()}


def _copied(outputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.array(array) for name, array in outputs.items()}


def _equal(ours: Mapping[str, NDArray[Any]], theirs: Mapping[str, NDArray[Any]]) -> bool:
    return set(ours) == set(theirs) and all(same(ours[name], theirs[name]) for name in ours)


PROMISES = (
    its_targets_are_honest,
    it_tells_its_versions,
    an_unknown_target_is_refused,
    an_unusable_target_says_why,
    it_is_found_by_suffixes,
    it_names_its_files,
    a_missing_file_is_a_model_file_error,
    an_empty_file_is_a_model_file_error,
    a_garbage_file_is_a_model_file_error,
    a_truncated_file_is_a_model_file_error,
    its_specs_match_its_arrays,
    a_batch_gives_a_row_for_each_input,
    running_again_gives_the_same_bits,
    outputs_and_inputs_are_left_alone,
    it_runs_in_another_thread,
    a_closed_runner_refuses,
)
