"""What every backend of speech is handed: native clips, of the one rate that the campaign has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import NATIVE, MisfitError, ModelFileError, RuntimeFailedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_LONGEST = 300


def clips_of(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.int16]:
    """Return the batch of clips, int16 [n, length]; raise `RuntimeFailedError` for anything else."""
    if set(inputs) != {NATIVE}:
        raise RuntimeFailedError(f'the model takes clips by the name "{NATIVE}", not {list(inputs)}')
    clips = inputs[NATIVE]
    if clips.dtype != np.int16 or clips.ndim != 2:
        raise RuntimeFailedError(f"the model takes clips, int16 [n, length], not {clips.dtype}{list(clips.shape)}")
    return clips


def in_unit_range(clips: NDArray[np.int16]) -> Floats:
    """Return PCM as real numbers in [−1, 1): divided by 32768."""
    return clips.astype(np.float32) / np.float32(32768)


def check_rate(file: Path, model_hz: int, clips_hz: int) -> None:
    """Raise `MisfitError` where a model is for another rate than that of the clips."""
    if model_hz != clips_hz:
        raise MisfitError(
            f"{file} is a model for {model_hz} Hz, and the clips have {clips_hz} Hz",
            hint=f"set [domain] rate_hz = {model_hz}: seeds of other rates are resampled, and the report says so",
        )


def check_length(length: int, most: int, rate_hz: int) -> None:
    """Raise `MisfitError` for a clip that is longer than what a model hears."""
    if length > most:
        raise MisfitError(
            f"the model hears {most / rate_hz:g} s, and a clip has {length / rate_hz:g} s",
            hint="cut the clip, or leave out operators that stretch it",
        )


def existing(file: Path, kind: str) -> Path:
    """Return a file that is there and not empty; raise `ModelFileError` otherwise."""
    if not file.is_file():
        raise ModelFileError(f"there is no {kind} {file}")
    if not file.stat().st_size:
        raise ModelFileError(f"{file} is empty (0 bytes)", hint="export or download it again")
    return file


def text_array(texts: Sequence[str]) -> NDArray[Any]:
    """Return strings as numpy has them: of fixed width, so that they travel and are stored without pickling."""
    return np.array(list(texts), dtype=np.str_)


def ctc_settings(alphabet: Sequence[str], blank: int | str, separator: str = " ") -> str:
    """Return a note: what a model's own file says of its characters, as settings of the decoder `ctc`."""
    told = {"alphabet": list(alphabet), "blank": blank, "separator": separator}
    listed = ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in told.items())
    return f'for the decoder "ctc", by the model itself: {listed}'


def one_line(error: BaseException) -> str:
    """Return what a runtime says of a failure, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
