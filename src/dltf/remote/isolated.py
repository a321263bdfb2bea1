"""A runtime in a process of its own: when it crashes or hangs, it takes that process with it and nothing else.

What crosses over is the backend's import string and its settings, never the object; tensors go through a pipe. After a
crash the next call starts a new process, so that the campaign goes on with the other inputs.
"""

from __future__ import annotations

import importlib
import multiprocessing
import signal
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from attrs import frozen

from dltf import errors
from dltf.errors import DltfError, MisfitError, RuntimeFailedError, RuntimeHungError, RuntimeLostError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import ModelBackend
    from dltf.values import Target, TensorSpec

    Tensors = Mapping[str, NDArray[Any]]

OPEN_S = 300.0  # to start the process, import the runtime and load the model
_CLOSE_S = 5.0


@frozen
class Isolated:
    """A backend whose runners live in processes of their own; a call that takes longer than `timeout_s` is ended."""

    backend: ModelBackend
    timeout_s: float

    suffixes: ClassVar[tuple[str, ...]] = ()  # nobody looks for it by them

    def targets(self) -> Sequence[Target]:
        return self.backend.targets()

    def versions(self) -> Mapping[str, str]:
        return self.backend.versions()

    def open(self, file: Path, target: str) -> _Runner:
        return _Runner(self, file, target)


class _Runner:
    def __init__(self, isolated: Isolated, file: Path, target: str) -> None:
        cls: Any = type(isolated.backend)
        settings = {f.name: getattr(isolated.backend, f.name) for f in attrs.fields(cls) if f.init}
        self._what = (cls.__module__, cls.__qualname__, settings, file, target)
        self._timeout_s = isolated.timeout_s
        self._process: Any = None
        self._start()

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    notes: tuple[str, ...]

    def __enter__(self) -> _Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._tell(None)
            self._process.join(_CLOSE_S)
            self._end()

    def run(self, inputs: Tensors) -> Tensors:
        if self._process is None:
            self._start_again()
        self._tell(dict(inputs))
        answer: Tensors = self._hear(self._timeout_s, "while it ran the model")
        return answer

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most memory that the process has held, where the system tells (Linux does)."""
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        except (OSError, AttributeError):
            return None
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)

    def _start_again(self) -> None:
        try:
            self._start()
        except DltfError as error:
            message = f"the runtime was ended, and could not be started again: {error.message}"
            raise RuntimeLostError(message, hint="mend it, and go on with --resume") from error

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, *self._what), daemon=True)
        self._process.start()
        other.close()
        try:
            self.inputs, self.outputs, self.notes = self._hear(OPEN_S, "while it opened the model")
        except DltfError:
            self._end()
            raise

    def _tell(self, message: Any) -> None:
        try:
            self._pipe.send(message)
        except (BrokenPipeError, ConnectionError):
            return  # it has ended: the answer will say how

    def _hear(self, timeout_s: float, when: str) -> Any:
        try:
            if not self._pipe.poll(timeout_s):
                self._end()
                raise RuntimeHungError(f"the runtime did not answer for {timeout_s:g} s {when}, and was ended")
            kind, answer = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join(_CLOSE_S)
            how = _how(self._process.exitcode)
            self._end()
            raise RuntimeFailedError(f"the runtime crashed {when} ({how})") from None
        except BaseException:
            self._end()  # an interrupt in the middle of an answer leaves nothing to go on with
            raise
        if kind == "failed":
            name, message, hint = answer
            raise getattr(errors, name, RuntimeFailedError)(message, hint=hint)
        return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = None


def _serve(pipe: Connection, module: str, qualname: str, settings: dict[str, Any], file: Path, target: str) -> None:
    """Open a model and run what comes through the pipe, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the campaign, which closes the pipe
    try:
        backend: Any = getattr(importlib.import_module(module), qualname)(**settings)
        with backend.open(file, target) as runner:
            pipe.send(("done", (tuple(runner.inputs), tuple(runner.outputs), tuple(runner.notes))))
            while (inputs := pipe.recv()) is not None:
                try:
                    pipe.send(("done", dict(runner.run(inputs))))
                except (MisfitError, RuntimeFailedError) as error:
                    pipe.send(("failed", _written(error)))
    except DltfError as error:
        pipe.send(("failed", _written(error)))
    except EOFError:
        return


def _written(error: DltfError) -> tuple[str, str, str]:
    return type(error).__name__, error.message, error.hint


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit status {exit_code}"
