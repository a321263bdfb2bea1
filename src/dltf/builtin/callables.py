"""A Python function as a model: preprocessing and networks that live in code."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import NATIVE, ModelFileError, RuntimeFailedError, Target, TargetUnavailableError, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRINTING = threading.Lock()  # sys.stdout is one for all threads


@frozen
class PythonCallable:
    """Calls `function(samples)` with a batch of samples as they are, stacked: uint8 [n, height, width, channels], say.

    It returns raw outputs for a decoder: an array [n, …], or several by name. What it prints goes to standard error.
    """

    python: str = field(validator=validators.matches_re(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"))  # "package.module:function"
    path: Path | None = None  # where modules are looked for first; in a profile, by default, the profile's own folder

    suffixes: ClassVar[tuple[str, ...]] = ()
    needs_file: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.python

    def targets(self) -> Sequence[Target]:
        return [Target("here", "This interpreter, or with campaign.isolate one beside it.")]

    def versions(self) -> Mapping[str, str]:
        return {"python": sys.version.partition(" ")[0]}

    def files(self, file: Path) -> Sequence[Path]:
        """Return the source of the function's module; what that imports is not looked at."""
        with self._found():
            try:
                spec = importlib.util.find_spec(self.python.partition(":")[0])
            except (ImportError, ValueError):
                return []
        return [Path(spec.origin)] if spec is not None and spec.origin is not None and spec.has_location else []

    def open(self, file: Path, target: str) -> CallableRunner:
        if target != "here":
            raise TargetUnavailableError(f'a Python function has no target "{target}"; there is "here"')
        module, _, name = self.python.partition(":")
        try:
            with self._found(), _printing_aside():
                function = getattr(importlib.import_module(module), name)
        except (Exception, SystemExit) as error:
            raise ModelFileError(
                f"{self.python} cannot be imported: {type(error).__name__}: {error}",
                hint=f"modules are looked for in {self.path or 'the current folder'}, then where Python always does",
            ) from error
        if not callable(function):
            raise ModelFileError(f"{self.python} is {type(function).__name__}, and no function")
        return CallableRunner(self.python, function)

    @contextlib.contextmanager
    def _found(self) -> Iterator[None]:
        """Let modules in our folder be found; it stays there, since functions import late, too."""
        folder = str(self.path or Path.cwd())
        if folder not in sys.path:
            sys.path.insert(0, folder)
        importlib.invalidate_caches()
        yield


class CallableRunner:
    """A function that was found."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, name: str, function: Callable[[NDArray[Any]], Any]) -> None:
        self._name = name
        self._function: Callable[[NDArray[Any]], Any] | None = function

    def __enter__(self) -> CallableRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._function = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if self._function is None:
            raise RuntimeFailedError(f"{self._name} has been closed", hint="call it inside its `with` block")
        samples = inputs[NATIVE]
        try:
            with _printing_aside():
                answer = self._function(samples.copy())  # what it does to them is its own affair
        except (Exception, SystemExit) as error:
            raise RuntimeFailedError(f"{self._name} raised {_told(error)}") from error
        return self._checked(answer, len(samples))

    def _checked(self, answer: Any, size: int) -> dict[str, NDArray[Any]]:
        named = answer if isinstance(answer, Mapping) else {"output": answer}
        arrays = {str(name): np.array(values) for name, values in named.items()}
        for name, array in arrays.items():
            if array.dtype.kind not in "biuf" or array.shape[:1] != (size,):
                raise RuntimeFailedError(
                    f'{self._name} gave "{name}" as {array.dtype}{list(array.shape)} for {size} samples',
                    hint=f"return numbers with one row for each sample: [{size}, …]",
                )
        if not arrays:
            raise RuntimeFailedError(f"{self._name} gave no outputs", hint="return an array [n, …], or some by name")
        return arrays


@contextlib.contextmanager
def _printing_aside() -> Iterator[None]:
    with _PRINTING, contextlib.redirect_stdout(sys.stderr):
        yield


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
