"""A Python function as a model: preprocessing and networks that live in code."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
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
    from importlib.machinery import ModuleSpec

    from numpy.typing import NDArray

_PRINTING = threading.Lock()  # sys.stdout and the current folder are one for all threads


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
        with self._found(), _aside():
            try:
                spec = importlib.util.find_spec(self.python.partition(":")[0])
            except (Exception, SystemExit):  # a package is imported on the way; what is wrong with it `open` tells
                return []
        return [Path(spec.origin)] if spec is not None and spec.origin is not None and spec.has_location else []

    def open(self, file: Path, target: str) -> CallableRunner:
        if target != "here":
            raise TargetUnavailableError(f'a Python function has no target "{target}"; there is "here"')
        module, _, name = self.python.partition(":")
        try:
            with self._found(), _aside():
                self._refuse_namesakes(module.partition(".")[0])
                function = getattr(importlib.import_module(module), name)
        except ModelFileError:
            raise
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
        """Let modules in our folder be found first; it stays there, since functions import late, too."""
        folder = self._folder()
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        yield

    def _folder(self) -> str:
        return str(self.path or Path.cwd())

    def _refuse_namesakes(self, module: str) -> None:
        """Refuse where Python has a module of this name from another place: it would answer in our module's stead."""
        loaded = getattr(sys.modules.get(module), "__spec__", None)
        ours = importlib.machinery.PathFinder.find_spec(module, [self._folder()])
        if loaded is not None and ours is not None and _place(loaded) != _place(ours):
            raise ModelFileError(
                f'{self.python} is in {_place(ours)}, and another module "{module}" is loaded, from {_place(loaded)}',
                hint="rename one of them, or set campaign.isolate = true",
            )


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
            with _aside():
                answer = self._function(samples.copy())  # what it does to them is its own affair
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # SystemExit, a cancelled task: all that stops the function, and not us
            raise RuntimeFailedError(f"{self._name} raised {_told(error)}") from error
        return self._checked(answer, len(samples))

    def _checked(self, answer: Any, size: int) -> dict[str, NDArray[Any]]:
        named = answer if isinstance(answer, Mapping) else {"output": answer}
        arrays = {str(name): self._array(name, values) for name, values in named.items()}
        for name, array in arrays.items():
            if array.dtype.kind not in "biufU" or array.shape[:1] != (size,):
                raise RuntimeFailedError(
                    f'{self._name} gave "{name}" as {array.dtype}{list(array.shape)} for {size} samples',
                    hint=f"return numbers, or texts, with one row for each sample: [{size}, …]",
                )
        if not arrays:
            raise RuntimeFailedError(f"{self._name} gave no outputs", hint="return an array [n, …], or some by name")
        return arrays

    def _array(self, name: object, values: Any) -> NDArray[Any]:
        """Return a copy: a function may use its memory again for its next answer."""
        try:
            return np.array(values)
        except Exception as error:  # rows of several lengths, a tensor that is not to be had as an array
            raise RuntimeFailedError(
                f'{self._name} gave "{name}", which is no array: {type(error).__name__}: {error}',
                hint="return numbers, as numpy arrays with one row for each sample",
            ) from error


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """Keep what a module does to the process to itself: printing, the current folder, how numpy treats overflows."""
    with _PRINTING, contextlib.redirect_stdout(sys.stderr), np.errstate():
        folder = Path.cwd()
        try:
            yield
        finally:
            os.chdir(folder)


def _place(spec: ModuleSpec) -> str:
    """Return where a module is from: its file, or the folders of a package that has none."""
    return spec.origin or ", ".join(spec.submodule_search_locations or ())


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
