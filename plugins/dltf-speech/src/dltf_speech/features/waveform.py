"""A batch of clips of one length, as real numbers of the model's rate, scale and length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dltf.plugin import MisfitError

if TYPE_CHECKING:
    from dltf.plugin import Batch, FloatArray
    from dltf_speech.features.plan import Plan
    from dltf_speech.features.settings import Scale


def waveforms(batch: Batch, plan: Plan) -> FloatArray:
    """Return float64 [n, samples] of int16 [n, length]; raise `MisfitError` for a length that does not fit."""
    if not batch.shape[1]:
        raise MisfitError("a clip without a single sample does not fit any model", hint="leave it out of the seeds")
    sound = batch.astype(np.float64)
    if plan.rate_hz != plan.clip_rate_hz:
        sound = _resampled(sound, *plan.steps)
    sound = _scaled(sound, plan.wants.scale)
    if plan.wants.pre_emphasis:
        sound[:, 1:] -= plan.wants.pre_emphasis * sound[:, :-1]  # the right side is made before any of it is taken off
    return _of_length(sound, plan)


def _resampled(sound: FloatArray, up: int, down: int) -> FloatArray:
    from scipy.signal import resample_poly

    return np.stack([resample_poly(clip, up, down) for clip in sound])  # one by one: no clip's bits depend on others


def _scaled(sound: FloatArray, how: Scale) -> FloatArray:
    if how == "none":
        return sound
    if how in ("peak", "maximum"):
        most = (np.abs(sound) if how == "peak" else sound).max(axis=1, keepdims=True)
        return sound / np.where(most > 0, most, 1.0)
    sound = sound / 32768
    if how == "standard":
        sound = (sound - sound.mean(axis=1, keepdims=True)) / np.sqrt(sound.var(axis=1, keepdims=True) + 1e-7)
    return sound


def _of_length(sound: FloatArray, plan: Plan) -> FloatArray:
    """Cut and pad, as the settings say."""
    wants, given = plan.wants, sound.shape[1]
    wanted = wants.samples or given
    if given > wanted:
        if wants.long == "refuse":
            raise misfit_of_length(given, wanted, plan, 'long = "cut_end" (or "cut_centre")')
        start = (given - wanted) // 2 if wants.long == "cut_centre" else 0
        sound = sound[:, start : start + wanted]
    elif given < wanted:
        if wants.short == "refuse":
            raise misfit_of_length(given, wanted, plan, 'short = "pad_end" (or "pad_centre")')
        before = (wanted - given) // 2 if wants.short == "pad_centre" else 0
        sound = np.pad(sound, ((0, 0), (before, wanted - given - before)))
    rest = -sound.shape[1] % wants.pad_multiple
    return np.pad(sound, ((0, 0), (0, rest))) if rest else sound


def misfit_of_length(given: int, wanted: int, plan: Plan, cure: str) -> MisfitError:
    """Return the error for a clip of a length that the model does not take, with the settings that make it fit."""
    rate = plan.rate_hz
    return MisfitError(
        f"a clip of {given} samples ({given / rate:.3f} s at {rate} Hz) does not fit a model that takes {wanted} "
        f"({wanted / rate:.3f} s)",
        hint=f"add samples = {wanted} and {cure} to the model's input table",
    )
