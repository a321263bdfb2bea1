"""The table `[models.*.input]` for clips: a front end, with every convention named."""

from __future__ import annotations

from math import isfinite
from typing import Any, Literal, get_args

from attrs import field, frozen, validators

Kind = Literal["log_mel", "mfcc", "waveform"]
Short = Literal["refuse", "pad_end", "pad_centre"]
Long = Literal["refuse", "cut_end", "cut_centre"]
Scale = Literal["int16", "none", "peak", "maximum", "standard"]
Window = Literal["hann", "hamming", "rectangular"]
Frames = Literal["n_fft", "window"]
Centring = Literal["none", "zeros", "reflect"]
Spectrum = Literal["power", "magnitude"]
MelScale = Literal["htk", "slaney"]
MelNorm = Literal["none", "slaney"]
MelTriangles = Literal["hz", "mel"]
Log = Literal["ln", "log10", "db", "none"]
DctNorm = Literal["ortho", "htk", "none"]
Normalise = Literal["none", "mean", "per_feature", "all"]
Layout = Literal["NT", "NCT", "NTC", "NTF", "NFT", "NTFC", "NFTC", "NCTF", "NCFT", "flat"]
Numbers = float | tuple[float, ...]


def as_tuple(numbers: Numbers) -> tuple[float, ...]:
    """One number or several, as a tuple."""
    return tuple(numbers) if isinstance(numbers, (tuple, list)) else (numbers,)


def _finite(_: object, attribute: Any, value: Numbers) -> None:
    if not as_tuple(value) or not all(map(isfinite, as_tuple(value))):
        raise ValueError(f"'{attribute.name}' must be one number, or one for each feature: {value}")


def _positive(_: object, attribute: Any, value: Numbers) -> None:
    if min(as_tuple(value), default=1.0) <= 0:
        raise ValueError(f"'{attribute.name}' must be above 0: {value}")


def _one_of(choices: Any) -> Any:
    return validators.in_(get_args(choices))


def _optional(*checks: Any) -> Any:
    return validators.optional(list(checks))


_COUNT = [validators.instance_of(int), validators.ge(1)]
_NOT_BELOW_0 = validators.ge(0.0)


@frozen
class SpeechInput:
    """How one variant wants its clips; a key left out is read from the model file, or has the default told here.

    In this order: the rate; `scale`; pre-emphasis x[t] − a·x[t−1], the first value as it is; the length. Then frames,
    a window, the spectrum, triangles on a mel scale, their logarithm `log(max(x + log_offset, log_floor))`; for MFCCs
    the DCT-II; then `normalise`, and `(x − mean) / std`.

    `scale`: "int16" divides by 32768, "peak" by the largest absolute value and "maximum" by the largest value (silent
    clips stay as they are), "standard" takes the mean off and divides by the deviation, √(variance + 1e-7).

    `centring`: frame k is centred at sample k × hop, with zeros or the mirrored clip beyond its ends; "none" begins
    frame k at that sample. `frames`: "n_fft" cuts frames of that length and puts the window in their middle (librosa,
    PyTorch), "window" cuts them as long as the window and adds zeros at their end (TensorFlow, Kaldi).

    `normalise`, over the clip's frames: "mean" takes each feature's mean off; "per_feature" also divides by its
    deviation, "all" by that of all features, about their mean (unbiased, plus 1e-5: NeMo's two).
    """

    features: Kind | None = field(default=None, validator=_optional(_one_of(Kind)))  # None: "waveform" where it fits
    rate_hz: int | None = field(default=None, validator=_optional(*_COUNT))  # of the model; None: that of the clips
    resample: bool = False  # whether clips of another rate are converted; refused otherwise

    samples: int | None = field(default=None, validator=_optional(*_COUNT))  # of a clip, at the model's rate
    short: Short = field(default="refuse", validator=_one_of(Short))  # what becomes of a clip of fewer samples
    long: Long = field(default="refuse", validator=_one_of(Long))  # and of one of more
    pad_multiple: int = field(default=1, validator=_COUNT)  # samples: silence at the end up to a multiple of it
    scale: Scale = field(default="int16", validator=_one_of(Scale))
    pre_emphasis: float = field(default=0.0, validator=[_NOT_BELOW_0, validators.lt(1.0)])

    window_samples: int | None = field(default=None, validator=_optional(*_COUNT))  # None: 25 ms
    hop_samples: int | None = field(default=None, validator=_optional(*_COUNT))  # None: 10 ms
    n_fft: int | None = field(default=None, validator=_optional(*_COUNT))  # None: the power of 2 that holds the window
    window: Window = field(default="hann", validator=_one_of(Window))
    periodic: bool = True  # as PyTorch, TensorFlow and librosa make windows; False: symmetric
    frames: Frames = field(default="n_fft", validator=_one_of(Frames))
    centring: Centring = field(default="none", validator=_one_of(Centring))
    spectrum: Spectrum = field(default="power", validator=_one_of(Spectrum))

    n_mels: int = field(default=40, validator=_COUNT)
    fmin_hz: float = field(default=0.0, validator=_NOT_BELOW_0)
    fmax_hz: float | None = field(default=None, validator=_optional(validators.gt(0.0)))  # None: half the rate
    mel_scale: MelScale = field(default="htk", validator=_one_of(MelScale))
    mel_norm: MelNorm = field(default="none", validator=_one_of(MelNorm))  # "none": peaks of 1; "slaney": equal areas
    mel_triangles: MelTriangles = field(default="hz", validator=_one_of(MelTriangles))  # straight over Hz, or over mels
    log: Log = field(default="ln", validator=_one_of(Log))  # "db": 10·log10 of power, 20·log10 of magnitude
    log_offset: float = field(default=1e-6, validator=_NOT_BELOW_0)
    log_floor: float = field(default=0.0, validator=_NOT_BELOW_0)
    top_db: float | None = field(default=None, validator=_optional(validators.gt(0.0)))  # below a clip's maximum

    n_mfcc: int = field(default=13, validator=_COUNT)
    first_mfcc: int = field(default=0, validator=[validators.instance_of(int), validators.ge(0)])
    dct_norm: DctNorm = field(default="ortho", validator=_one_of(DctNorm))  # "htk": √(2/n)·Σ (TensorFlow); "none": 2·Σ

    normalise: Normalise = field(default="none", validator=_one_of(Normalise))
    mean: float | tuple[float, ...] = field(default=0.0, validator=_finite)
    std: float | tuple[float, ...] = field(default=1.0, validator=[_finite, _positive])
    layout: Layout | None = field(default=None, validator=_optional(_one_of(Layout)))  # T: time, F: features, C: 1

    def __attrs_post_init__(self) -> None:
        if self.log != "none" and self.log_offset == self.log_floor == 0.0:
            raise ValueError("'log_offset' must be above 0, or log_floor: silence has no logarithm")
        if self.top_db is not None and self.log != "db":
            raise ValueError("'top_db' needs log = \"db\"")
        if self.first_mfcc + self.n_mfcc > self.n_mels and self.features == "mfcc":
            raise ValueError(f"'n_mfcc' must be at most {self.n_mels - self.first_mfcc}: n_mels − first_mfcc")
        if self.fmax_hz is not None and self.fmax_hz <= self.fmin_hz:
            raise ValueError(f"'fmax_hz' must be above fmin_hz, {self.fmin_hz:g}: {self.fmax_hz:g}")
