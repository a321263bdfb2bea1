"""Settings for a model that comes without a profile: what its shape tells, and front ends that are well known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from dltf.plugin import MisfitError, Suggestion
from dltf_speech.features.plan import plan
from dltf_speech.features.waveform import waveforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Sample, TensorSpec
    from dltf_speech.features.plan import Plan
    from dltf_speech.features.settings import SpeechInput

_KEYWORDS: dict[str, Any] = {  # MLPerf Tiny's keyword spotting
    "features": "mfcc",
    "rate_hz": 16000,
    "samples": 16000,
    "scale": "maximum",
    "window_samples": 480,
    "hop_samples": 320,
    "n_fft": 512,
    "frames": "window",
    "spectrum": "magnitude",
    "n_mels": 40,
    "fmin_hz": 20.0,
    "fmax_hz": 4000.0,
    "mel_triangles": "mel",
    "n_mfcc": 10,
    "dct_norm": "htk",
}
_NEMO: dict[str, Any] = {  # NeMo's AudioToMelSpectrogramPreprocessor
    "features": "log_mel",
    "rate_hz": 16000,
    "pre_emphasis": 0.97,
    "window_samples": 320,
    "hop_samples": 160,
    "n_fft": 512,
    "periodic": False,
    "centring": "zeros",
    "mel_scale": "slaney",
    "mel_norm": "slaney",
    "log_offset": 2.0**-24,
    "normalise": "per_feature",
}


def suggest(spec: TensorSpec, settings: SpeechInput, samples: Sequence[Sample], rate_hz: int) -> list[Suggestion]:
    """Return ways to prepare these clips for a model, the likeliest first.

    A shape tells a waveform, and its length. What frames are made of no file tells: front ends are offered whose shape
    fits, those of MLPerf Tiny and NeMo, and log-mel bands with the defaults.
    """
    found = []
    for keys, why in _offers(spec, settings):
        unset = {key: value for key, value in keys.items() if getattr(settings, key) in (None, _default(settings, key))}
        if unset.get("rate_hz", rate_hz) != rate_hz:
            unset["resample"] = True
        try:
            filled = evolve(settings, **unset)
            planned = plan(spec, filled, rate_hz)
        except (MisfitError, ValueError):
            continue
        fitted, told = _of_length(spec, filled, planned, samples)
        found.append(Suggestion(fitted, dict.fromkeys(unset, why) | told))
    if not found:
        plan(spec, settings, rate_hz)  # tells what is missing
        found.append(Suggestion(settings))
    return found


def _default(settings: SpeechInput, key: str) -> Any:
    return getattr(type(settings)(), key)


def _offers(spec: TensorSpec, settings: SpeechInput) -> list[tuple[dict[str, Any], str]]:
    if settings.features is not None:
        return [({}, "")]
    sizes = [size for size in spec.shape[1:] if size is not None]
    if len(spec.shape) == 2 or (len(spec.shape) == 3 and 1 in sizes):
        why = f"read from the shape of {spec}"
        return [({"features": "waveform"}, why), ({"features": "waveform", "scale": "standard"}, "guessed: its scale")]
    why = f"guessed: {spec} does not say what its frames are made of"
    offers = [(_KEYWORDS, f"{why}; as MLPerf Tiny's keyword spotting")]
    for size in sizes:
        if 20 <= size <= 128:
            offers.append(({**_NEMO, "n_mels": size}, f"{why}; as NeMo's"))
            offers.append(({"features": "log_mel", "n_mels": size}, why))
    return offers


def _of_length(
    spec: TensorSpec, settings: SpeechInput, planned: Plan, samples: Sequence[Sample]
) -> tuple[SpeechInput, dict[str, str]]:
    """Pad and cut where the model takes one length, and the clips have others."""
    wanted = settings.samples
    axis = 1 if planned.layout == "flat" else planned.layout.index("T")
    size = spec.shape[axis]
    if wanted is None and size is not None:
        count = size // planned.width if planned.layout == "flat" else size
        around = planned.frame if planned.wants.centring == "none" else 0
        wanted = size if planned.kind == "waveform" else (count - 1) * planned.hop + around
    lengths = {
        waveforms(sample[None], evolve(planned, wants=evolve(settings, samples=None))).shape[1] for sample in samples
    }
    if wanted is None or lengths <= {wanted}:
        return settings, {}
    why = f"guessed: the model takes {wanted} samples, and clips have {min(lengths)} to {max(lengths)}"
    keys: dict[str, Any] = {"samples": wanted, "short": "pad_end", "long": "cut_end"}
    unset = {key: value for key, value in keys.items() if getattr(settings, key) in (None, "refuse")}
    return evolve(settings, **unset), dict.fromkeys(unset, why)
