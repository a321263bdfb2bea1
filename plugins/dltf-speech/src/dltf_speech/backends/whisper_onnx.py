"""Models of Whisper's kind as an ONNX encoder and decoder pair, as `optimum-cli export onnx` writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import MisfitError, ModelFileError, RuntimeFailedError, Target, TensorSpec
from dltf_speech.backends import onnx_sessions, whisper_tokens
from dltf_speech.backends.clips import check_length, check_rate, clips_of, in_unit_range, one_line, text_array
from dltf_speech.backends.whisper_features import HOP, RATE_HZ, log_mel

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_speech.backends.clips import Floats

ENCODER, DECODER = "encoder", "decoder"
_FIRST = f"{ENCODER}_model.onnx"
_BANDS = 80
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


@frozen
class WhisperOnnx:
    """Runs an encoder and a decoder, with Whisper's own front end and a greedy search, clip by clip.

    `file` is the encoder; the decoder beside it has "decoder" for "encoder" in its name (decoder_model.onnx, or
    decoder_model_quantized.onnx). The decoder without past is used: each step goes through the whole sentence. Start
    and end are read from generation_config.json and config.json, the words from tokenizer.json or vocab.json, there or
    in the folder above. The outputs are `text` and `log_score`, the sum of the tokens' log-probabilities: for the
    decoder `text`. A clip that is longer than `length_s` is a misfit.
    """

    rate_hz: int = field(default=RATE_HZ, validator=validators.gt(0))  # of the clips; Whisper takes 16 kHz
    length_s: float = field(default=30.0, validator=validators.gt(0.0))  # what the encoder hears at a time
    max_tokens: int = field(default=224, validator=validators.ge(1))  # of an answer, at most; half of Whisper's 448
    language: str = "en"  # of a multilingual model
    task: Literal["transcribe", "translate"] = "transcribe"  # of a multilingual model
    threads: int = field(default=1, validator=validators.ge(1))

    suffixes: ClassVar[tuple[str, ...]] = ()  # .onnx is what other graphs are called, too: it is asked for by name

    def targets(self) -> Sequence[Target]:
        return onnx_sessions.targets()

    def open(self, file: Path, target: str) -> WhisperRunner:
        provider = onnx_sessions.usable(target)
        encoder_file, decoder_file = _pair(file)
        encoder = onnx_sessions.open_session(encoder_file, provider, self.threads)
        decoder = onnx_sessions.open_session(decoder_file, provider, self.threads)
        told = whisper_tokens.read_settings(encoder_file)
        check_rate(encoder_file, int(told.get("sampling_rate", RATE_HZ)), self.rate_hz)
        prompt = whisper_tokens.prompt_of(told, self.language, self.task)
        frames = round(self.length_s * RATE_HZ) // HOP
        ears = _Ears(encoder, encoder_file, frames, int(told.get("feature_size", _BANDS)))
        mouth = _Mouth(decoder, decoder_file, prompt, self.max_tokens)
        return WhisperRunner(ears, mouth, whisper_tokens.read_vocabulary(encoder_file))

    def files(self, file: Path) -> Sequence[Path]:
        """Return the pair, the weights that lie outside of them, and the JSON files that are read."""
        pair = [path for path in _pair(file) if path.is_file()]
        if not pair:
            return []
        named = b"".join(path.read_bytes() for path in pair)
        weights = sorted(
            path
            for path in pair[0].parent.iterdir()
            if path.is_file() and path not in pair and path.suffix != ".onnx" and path.name.encode() in named
        )
        names = (*whisper_tokens.SETTINGS, *whisper_tokens.TOKENIZERS)
        told = (whisper_tokens.beside(pair[0], name) for name in names)
        return [*pair, *weights, *(path for path in told if path is not None)]

    def versions(self) -> Mapping[str, str]:
        return onnx_sessions.versions()


class WhisperRunner:
    """An open pair; leaving its block lets go of the sessions."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, ears: _Ears, mouth: _Mouth, vocabulary: Mapping[int, str]) -> None:
        self.notes = (
            "the model takes one clip at a time: one by one",
            f"clips are filled up with silence to {ears.frames * HOP / RATE_HZ:g} s",
        )
        self._parts: tuple[_Ears, _Mouth] | None = (ears, mouth)
        self._vocabulary = vocabulary

    def __enter__(self) -> WhisperRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if self._parts is None:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        ears, mouth = self._parts
        clips = clips_of(inputs)
        check_length(clips.shape[1], ears.frames * HOP, RATE_HZ)
        try:
            said = [mouth.say(ears.hear(clip)) for clip in in_unit_range(clips)]
        except Exception as error:  # the runtime's exceptions have no common base
            raise RuntimeFailedError(f"ONNX Runtime failed on a batch of {len(clips)}: {one_line(error)}") from error
        texts = [whisper_tokens.text_of(tokens, self._vocabulary).strip() for tokens, _ in said]
        return {"text": text_array(texts), "log_score": np.array([score for _, score in said], dtype=np.float64)}


class _Ears:
    """The encoder: a clip → its states."""

    def __init__(self, session: Any, file: Path, frames: int, bands: int) -> None:
        node = _named(session.get_inputs(), "input_features", file)
        fixed = {axis: size for axis, size in enumerate(node.shape) if isinstance(size, int)}
        if fixed.get(1, bands) != bands or fixed.get(2, frames) != frames:
            raise MisfitError(
                f"{file} takes {node.shape}, and gets {bands} bands of {frames} frames of 10 ms",
                hint="set length_s to what the encoder hears; the bands are feature_size of preprocessor_config.json",
            )
        self.frames = frames
        self._bands = bands
        self._session = session
        self._name, self._dtype = node.name, _DTYPES.get(node.type, np.float32)

    def hear(self, clip: Floats) -> NDArray[Any]:
        features = log_mel(clip, self.frames, self._bands)[None].astype(self._dtype)
        states: NDArray[Any] = self._session.run(None, {self._name: features})[0]
        return states


class _Mouth:
    """The decoder: states → the tokens that it thinks likeliest, one after the other, and their log-score."""

    def __init__(self, session: Any, file: Path, prompt: whisper_tokens.Prompt, most: int) -> None:
        self._tokens = _named(session.get_inputs(), "input_ids", file).name
        self._states = _named(session.get_inputs(), "encoder_hidden_states", file).name
        self._logits = _named(session.get_outputs(), "logits", file).name
        others = [node.name for node in session.get_inputs() if node.name not in {self._tokens, self._states}]
        if others:
            raise ModelFileError(
                f"{file} takes {', '.join(others)}, too", hint="give the decoder without past: decoder_model.onnx"
            )
        self._session = session
        self._prompt = prompt
        self._most = most

    def say(self, states: NDArray[Any]) -> tuple[list[int], float]:
        """Return the tokens of an answer, without prompt and end, and the sum of their log-probabilities."""
        prompt = self._prompt
        said: list[int] = []
        score = 0.0
        while len(said) < self._most:
            ids = np.array([[*prompt.start, *said]], dtype=np.int64)
            fed = {self._tokens: ids, self._states: states}
            logits = self._session.run([self._logits], fed)[0][0, -1].astype(np.float64)
            logits[list(prompt.never)] = -np.inf
            if not said:
                logits[list(prompt.not_first)] = -np.inf
            best = int(logits.argmax())  # NaN counts as the largest, and makes the score NaN
            with np.errstate(invalid="ignore"):
                score -= float(np.log(np.exp(logits - logits[best]).sum()))
            if best == prompt.end:
                break
            said.append(best)
        return said, score


def _pair(file: Path) -> tuple[Path, Path]:
    """Return the encoder and the decoder; a folder stands for the names that exporters give."""
    encoder = file / _FIRST if file.is_dir() else file
    name = encoder.name
    if ENCODER not in name:
        return encoder, encoder.with_name(_FIRST.replace(ENCODER, DECODER))
    return encoder, encoder.with_name(name.replace(ENCODER, DECODER))


def _named(nodes: Sequence[Any], name: str, file: Path) -> Any:
    found = next((node for node in nodes if node.name == name), None)
    if found is None:
        raise ModelFileError(
            f'{file} has no "{name}": it has {", ".join(node.name for node in nodes)}',
            hint="export it with optimum-cli export onnx --task automatic-speech-recognition",
        )
    return found
