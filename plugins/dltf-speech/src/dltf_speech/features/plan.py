"""What a model's input wants: the settings, and what its file says where they are silent."""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING, Any, get_args

from attrs import asdict, evolve, frozen

from dltf.plugin import MisfitError
from dltf_speech.features.settings import Layout, as_tuple

if TYPE_CHECKING:
    from dltf.plugin import TensorSpec
    from dltf_speech.features.settings import Kind, SpeechInput

_FLOATS = ("float16", "float32", "float64")
_WHOLE = ("int16", "int32", "int64")
_MFCC = ("n_mfcc", "first_mfcc", "dct_norm")
_FRAMED = (
    *("window_samples", "hop_samples", "n_fft", "window", "periodic", "frames", "centring", "spectrum", "n_mels"),
    *("fmin_hz", "fmax_hz", "mel_scale", "mel_norm", "mel_triangles", "log", "log_offset", "log_floor", "top_db"),
    *("normalise", "mean", "std"),
)


@frozen
class Plan:
    """Everything about an input, decided: `wants` has no key left open but `samples`, `fmax_hz` aside."""

    wants: SpeechInput
    kind: Kind
    layout: Layout
    clip_rate_hz: int
    rate_hz: int
    window: int  # samples
    hop: int
    n_fft: int
    fmax_hz: float
    width: int  # features of a frame; 1 for a waveform
    dtype: str  # of the tensor

    @property
    def frame(self) -> int:
        """How many samples a frame is cut of."""
        return self.n_fft if self.wants.frames == "n_fft" else self.window

    @property
    def steps(self) -> tuple[int, int]:
        """How many times the rate is multiplied, then divided."""
        from math import gcd

        common = gcd(self.rate_hz, self.clip_rate_hz)
        return self.rate_hz // common, self.clip_rate_hz // common

    def record(self) -> dict[str, Any]:
        """Return the table with every default filled in, without the keys that do not matter here."""
        filled = evolve(
            self.wants,
            features=self.kind,
            rate_hz=self.rate_hz,
            layout=self.layout,
            window_samples=self.window,
            hop_samples=self.hop,
            n_fft=self.n_fft,
            fmax_hz=self.fmax_hz,
        )
        left_out = {"waveform": (*_FRAMED, *_MFCC), "log_mel": _MFCC, "mfcc": ()}[self.kind]
        told = {key: value for key, value in asdict(filled).items() if key not in left_out and value is not None}
        if self.rate_hz != self.clip_rate_hz:
            told["resampled"] = f"{self.clip_rate_hz} Hz to {self.rate_hz} Hz, by a polyphase filter"
        return told


def plan(spec: TensorSpec, settings: SpeechInput, clip_rate_hz: int) -> Plan:
    """Decide; raise `MisfitError` where the file leaves something open, or says otherwise than the settings."""
    kind = settings.features or _kind(spec)
    rate = settings.rate_hz or clip_rate_hz
    if rate != clip_rate_hz and not settings.resample:
        raise MisfitError(
            f"the model takes clips of {rate} Hz, and those of the campaign have {clip_rate_hz} Hz",
            hint=f"add resample = true to the model's input table to convert clips, or set [domain] rate_hz = {rate}",
        )
    window = settings.window_samples or round(rate * 0.025)
    n_fft = settings.n_fft or 2 ** ceil(log2(window))
    if window > n_fft:
        raise MisfitError(f"a window of {window} samples does not fit an FFT of {n_fft}", hint="give a larger n_fft")
    fmax = settings.fmax_hz or rate / 2
    if not settings.fmin_hz < fmax <= rate / 2:
        raise MisfitError(
            f"mel bands from {settings.fmin_hz:g} to {fmax:g} Hz do not fit {rate} Hz: sound ends at {rate / 2:g}",
            hint="set fmin_hz and fmax_hz in the model's input table",
        )
    width = {"waveform": 1, "log_mel": settings.n_mels, "mfcc": settings.n_mfcc}[kind]
    layout = _layout(spec, settings, kind, width)
    for key, given in (("mean", as_tuple(settings.mean)), ("std", as_tuple(settings.std))):
        if len(given) not in (1, width):
            raise MisfitError(
                f"{key} has {len(given)} numbers, and a frame {width} features", hint=f"give 1, or {width}"
            )
    hop = settings.hop_samples or round(rate * 0.01)
    dtype = _tensor_dtype(spec, settings, kind)
    return Plan(settings, kind, layout, clip_rate_hz, rate, window, hop, n_fft, fmax, width, dtype)


def _kind(spec: TensorSpec) -> Kind:
    sizes = spec.shape[1:]
    if len(sizes) == 1 or (len(sizes) == 2 and sizes.count(1) == 1):
        return "waveform"
    raise MisfitError(
        f"the file does not tell what {spec} is made of",
        hint='add features = "log_mel", "mfcc" or "waveform" to the model\'s input table',
    )


def _layout(spec: TensorSpec, settings: SpeechInput, kind: Kind, width: int) -> Layout:
    """Return the layout that fits the shape; one that is not set has to have its features where their number is told.

    Of several such, that in which most other sizes are told, too.
    """
    known = {"waveform": ("NT", "NCT", "NTC")}.get(kind, ("NTF", "NFT", "NTFC", "NFTC", "NCTF", "NCFT", "flat"))
    sizes = {"C": 1} if kind == "waveform" else {"C": 1, "F": width}
    fitting: dict[Layout, int] = {}  # how many sizes are told
    for layout in get_args(Layout):
        axes = "NT" if layout == "flat" else layout
        if layout not in known or len(axes) != len(spec.shape):
            continue
        pairs = [(sizes[axis], size) for axis, size in zip(axes, spec.shape, strict=True) if axis in sizes]
        if all(size in (None, wanted) for wanted, size in pairs):
            fitting[layout] = sum(size is not None for _, size in pairs)
    told = _clear(spec, fitting)
    if settings.layout is not None and settings.layout not in fitting:
        raise MisfitError(
            f"{spec} does not take {_says(kind, width)} laid out as {settings.layout}",
            hint=_instead(fitting, known, kind),
        )
    best = [layout for layout in told if told[layout] == max(told.values())]
    if settings.layout is not None or len(best) == 1:
        return settings.layout or best[0]
    if not fitting:
        raise MisfitError(f"{spec} does not take {_says(kind, width)}", hint=_instead(fitting, known, kind))
    raise MisfitError(
        f"{spec} could take {_says(kind, width)} laid out as " + " or ".join(best or fitting),
        hint="if it does, say which: layout, in the model's input table",
    )


def _clear(spec: TensorSpec, fitting: dict[Layout, int]) -> dict[Layout, int]:
    """Return the layouts whose features, where they have an axis of their own, have a size that the file tells."""
    return {key: told for key, told in fitting.items() if "F" not in key or spec.shape[key.index("F")] is not None}


def _says(kind: Kind, width: int) -> str:
    return "a waveform" if kind == "waveform" else f"{kind} frames of {width} features"


def _instead(told: dict[Layout, int], known: tuple[str, ...], kind: Kind) -> str:
    if told:
        return "leave layout out, or set it to " + " or ".join(told)
    size = {"log_mel": "set n_mels to the size that the model takes, or ", "mfcc": "set n_mfcc to that size, or "}
    return f"{size.get(kind, '')}set features in the model's input table; layouts are {', '.join(known)}"


def _tensor_dtype(spec: TensorSpec, settings: SpeechInput, kind: Kind) -> str:
    if spec.dtype in _FLOATS:
        return spec.dtype
    if spec.quantisation is not None:
        return "float32"  # real numbers: the host quantises
    plain = kind == "waveform" and settings.scale == "none" and not settings.pre_emphasis and not settings.resample
    if spec.dtype in _WHOLE and plain:
        return spec.dtype
    raise MisfitError(
        f"{spec} takes integers and declares no quantisation, so what a value becomes is not known",
        hint='16-bit samples as they are go into int16 and wider: features = "waveform", scale = "none"',
    )
