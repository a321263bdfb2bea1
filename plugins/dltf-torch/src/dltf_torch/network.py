"""An opened model, whatever file it came from: what it takes and gives, and a function that computes it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import ModelFileError, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path

DTYPES = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
)


@frozen
class Sizes:
    """How many inputs a model takes at a time: `least` to `most` of them, or any number from `least` on."""

    least: int = 1
    most: int | None = None

    def chunks(self, n: int) -> Iterator[tuple[int, int]]:
        """Yield for n inputs the first row of each chunk, and how many the model is given there."""
        step = self.most or max(n, 1)
        for start in range(0, n, step):
            yield start, max(min(step, n - start), self.least)

    def notes(self) -> tuple[str, ...]:
        """Say what a reader of the results has to know."""
        if self.most is None and self.least == 1:
            return ()
        if self.most == 1:
            return ("the model takes one input at a time: one by one",)
        filled = "the last one filled up by repetition"
        if self.most is None:
            return (f"the model takes {self.least} inputs or more at a time: fewer are filled up by repetition",)
        if self.least == self.most:
            return (f"the model takes {self.most} inputs at a time: in chunks of {self.most}, {filled}",)
        return (f"the model takes up to {self.most} inputs at a time: in chunks of {self.most}",)


@frozen(eq=False)
class Network:
    """`call` maps a list of tensors, one for each input, to a list of tensors, one for each output."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sizes: Sizes
    notes: tuple[str, ...]
    call: Callable[[Sequence[Any]], Sequence[Any]]
    dtypes: tuple[Any, ...]  # PyTorch's, of the inputs
    dynamic: tuple[tuple[int, ...], ...]  # for each input, the axes whose size may differ from call to call


def dtype_name(dtype: Any) -> str | None:
    """Return numpy's name for a dtype of PyTorch; float32 stands for bfloat16, which numpy does not have."""
    name = str(dtype).removeprefix("torch.")
    return "float32" if name == "bfloat16" else name if name in DTYPES else None


def kept_outputs(
    named: Sequence[tuple[str, TensorSpec | None]], follows: Callable[[TensorSpec], bool], file: Path
) -> tuple[tuple[int, ...], tuple[TensorSpec, ...], tuple[str, ...]]:
    """Return the positions and specs of the outputs with one row for each input, and a note on those without."""
    kept = [(i, spec) for i, (_, spec) in enumerate(named) if spec is not None and follows(spec)]
    if not kept:
        listed = ", ".join(str(spec or name) for name, spec in named) or "it has no output"
        raise ModelFileError(
            f"{file} gives no array with one row for each input: {listed}",
            hint="the first axis of an output has to be the batch",
        )
    left_out = [name for i, (name, _) in enumerate(named) if i not in dict(kept)]
    listed = ", ".join(f'"{name}"' for name in left_out)
    notes = (f"outputs that are no arrays with one row for each input are left out: {listed}",) if left_out else ()
    return tuple(i for i, _ in kept), tuple(spec for _, spec in kept), notes


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what PyTorch warns its own developers of, while it loads or compiles, from users."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"torch\b")
        yield
