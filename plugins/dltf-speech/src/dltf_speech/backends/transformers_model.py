"""Opening a Hugging Face directory, and asking the two kinds of model that are in them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError, RuntimeFailedError, TensorSpec, nearest
from dltf_speech.backends.clips import (
    check_length,
    check_rate,
    clips_of,
    ctc_settings,
    existing,
    in_unit_range,
    one_line,
    text_array,
)
from dltf_speech.backends.torch_devices import CPU, CURE, torch

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_speech.backends.clips import Floats
    from dltf_speech.backends.transformers import Transformers

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "sentencepiece.bpe.model")


@frozen(eq=False)
class Opened:
    """A model and its processor, where they run, and what they were opened with."""

    model: Any
    processor: Any
    settings: Transformers
    device: str
    writes: bool  # token by token; False: CTC

    @property
    def ears(self) -> Any:
        """The part of the processor that takes sound."""
        return getattr(self.processor, "feature_extractor", self.processor)

    @property
    def longest_answer(self) -> int:
        """How many tokens an answer may have: as Whisper has it, half of what the decoder can look back on."""
        return int(getattr(self.model.config, "max_target_positions", None) or 2 * self.settings.max_tokens) // 2

    @property
    def words(self) -> Any:
        """The part of the processor that gives text."""
        return getattr(self.processor, "tokenizer", self.processor)


def open_model(settings: Transformers, config: Path, device: str) -> TransformersRunner:
    """Return a runner; raise `ModelFileError` where the directory is none of a model of speech to text."""
    writes = _check(config)
    if settings.precision == "int8" and device != CPU:
        raise MisfitError(f'precision = "int8" runs on the processor, not on "{device}"', hint='set target = "cpu"')
    transformers = _library()
    kind = transformers.AutoModelForSpeechSeq2Seq if writes else transformers.AutoModelForCTC
    given = {"local_files_only": True, "trust_remote_code": False}
    dtype = getattr(torch(), "float32" if settings.precision == "int8" else settings.precision)
    try:
        processor = transformers.AutoProcessor.from_pretrained(config.parent, **given)
        model = kind.from_pretrained(config.parent, use_safetensors=True, dtype=dtype, **given).eval()
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(
            f"transformers {transformers.__version__} cannot open {config}: {one_line(error)}",
            hint="is the directory complete? model.save_pretrained and processor.save_pretrained write it",
        ) from error
    model = _quantised(model) if settings.precision == "int8" else model.to(device)
    opened = Opened(model, processor, settings, device, writes)
    check_rate(config, int(opened.ears.sampling_rate), settings.rate_hz)
    _check_language(opened, config)
    return TransformersRunner(opened)


class TransformersRunner:
    """An open model; leaving its block lets go of it."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, opened: Opened) -> None:
        self.notes: tuple[str, ...] = ("the model takes one clip at a time: one by one",)
        if not opened.writes:
            self.notes += (_characters(opened.words),)
        if opened.settings.precision != "float32":
            self.notes += (f"run in {opened.settings.precision}",)
        self._opened: Opened | None = opened

    def __enter__(self) -> TransformersRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        opened = self._opened
        if opened is None:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        clips = clips_of(inputs)
        _check_clips(opened, clips.shape[1])
        answer = _written if opened.writes else _spelt
        try:
            with _held(opened.settings.threads):
                answers = [answer(opened, clip) for clip in in_unit_range(clips)]
        except Exception as error:  # its exceptions have no common base
            raise RuntimeFailedError(f"PyTorch failed on a batch of {len(clips)}: {one_line(error)}") from error
        texts = text_array([text for text, _, _ in answers])
        scores = np.array([score for _, score, _ in answers], dtype=np.float64)
        logits = [rows for _, _, rows in answers if rows is not None]
        return {"text": texts, "log_score": scores, **({"logits": np.stack(logits)} if logits else {})}


Said = tuple[str, float, "NDArray[np.float32] | None"]


def _written(opened: Opened, clip: Floats) -> Said:
    """Return what a model writes, token by token, and the sum of the log-probabilities of its tokens."""
    features = _features(opened, clip)
    more: dict[str, Any] = {"language": opened.settings.language} if opened.settings.language else {}
    said = opened.model.generate(
        **features,
        **more,
        do_sample=False,
        num_beams=1,
        max_new_tokens=min(opened.settings.max_tokens, opened.longest_answer),
        return_dict_in_generate=True,
        output_scores=True,
    )
    scores = opened.model.compute_transition_scores(said.sequences, said.scores, normalize_logits=True)
    text = opened.words.batch_decode(said.sequences, skip_special_tokens=True)[0]
    return str(text).strip(), float(scores[0].double().sum()), None


def _spelt(opened: Opened, clip: Floats) -> Said:
    """Return the text of the likeliest path, its log-probability, and the scores of all characters [frames, v]."""
    logits = opened.model(**_features(opened, clip)).logits[0].float()
    best = logits.argmax(dim=-1)
    path = logits.double().log_softmax(dim=-1).gather(-1, best[:, None]).sum()
    text = opened.words.batch_decode(best[None])[0]
    return str(text).strip(), float(path), logits.cpu().numpy().copy()


def _features(opened: Opened, clip: Floats) -> dict[str, Any]:
    made = opened.ears(clip, sampling_rate=opened.settings.rate_hz, return_tensors="pt")
    dtype = opened.model.dtype
    return {
        name: values.to(opened.device, dtype if values.is_floating_point() else None) for name, values in made.items()
    }


def _check_clips(opened: Opened, length: int) -> None:
    """Raise `MisfitError` for clips longer than the front end hears, or too short for the first layers."""
    longest = getattr(opened.ears, "n_samples", None)
    if longest is not None:
        check_length(length, longest, opened.settings.rate_hz)
    config = opened.model.config
    shortest = 1
    for kernel, stride in reversed(
        list(zip(getattr(config, "conv_kernel", ()), getattr(config, "conv_stride", ()), strict=True))
    ):
        shortest = (shortest - 1) * stride + kernel
    if length < shortest:
        raise MisfitError(
            f"the model needs {shortest} samples at least, and a clip has {length}", hint="give longer clips"
        )


def _check_language(opened: Opened, config: Path) -> None:
    """Raise `MisfitError` where a language is asked for that the model has no token for."""
    known = getattr(getattr(opened.model, "generation_config", None), "lang_to_id", None) or {}
    codes = [token.strip("<|>") for token in known]
    if opened.settings.language and opened.settings.language not in codes:
        raise MisfitError(
            f'{config} knows no language "{opened.settings.language}"{nearest(opened.settings.language, codes)}',
            hint="set language to one of them, or leave it out",
        )


def _check(config: Path) -> bool:
    """Return whether the model writes (or spells, by CTC); raise `ModelFileError` where it is neither, or pickled."""
    existing(config, "config.json")
    try:
        told = json.loads(config.read_text(encoding="utf-8"))
        kinds = [str(kind) for kind in told["architectures"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{config} is no config.json of a model: {one_line(error)}",
            hint="give the config.json that model.save_pretrained writes",
        ) from error
    spells = any(kind.endswith("ForCTC") for kind in kinds)
    if not spells and not any(kind.endswith(("ForConditionalGeneration", "ForSpeechSeq2Seq")) for kind in kinds):
        raise ModelFileError(
            f"{config} is of {', '.join(kinds)}, which is no model of speech to text",
            hint="its architecture has to end in ForCTC or ForConditionalGeneration",
        )
    _check_beside(config)
    return not spells


def _check_beside(config: Path) -> None:
    """Raise `ModelFileError` where there are no weights that are safe to read, or no tokenizer."""
    if not any((config.parent / name).is_file() for name in _WEIGHTS):
        raise ModelFileError(
            f"there is no {_WEIGHTS[0]} beside {config}; pickled weights (.bin) are not read",
            hint="save it with model.save_pretrained(folder), which writes safetensors",
        )
    if not any((config.parent / name).is_file() for name in _TOKENIZERS):
        raise ModelFileError(  # transformers would make an empty one, and every answer would be the empty sentence
            f"there is no tokenizer beside {config}: none of {', '.join(_TOKENIZERS)}",
            hint="save it with processor.save_pretrained(folder)",
        )


def _characters(words: Any) -> str:
    """Return, as settings of the decoder `ctc`, which characters the scores are of."""
    numbered = sorted(words.get_vocab().items(), key=lambda pair: pair[1])
    return ctc_settings([token for token, _ in numbered], words.pad_token_id, words.word_delimiter_token or " ")


def _quantised(model: Any) -> Any:
    """Return the model with its linear layers in int8, their inputs quantised as they come."""
    quantise = getattr(torch().ao.quantization, "quantize_dynamic", None)
    if quantise is None:
        raise MissingPackageError(
            f"PyTorch {torch().__version__} has no quantize_dynamic any more", hint='use precision = "bfloat16"'
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch has been about to move it for years
        return quantise(model, {torch().nn.Linear}, dtype=torch().qint8)


def _library() -> Any:
    """Import transformers, without its progress bars and what it tells its own developers; or say how to install it."""
    try:
        import transformers
    except ImportError as error:
        raise MissingPackageError(
            f'the backend "transformers" cannot import its package: {error}', hint=CURE
        ) from error
    logging: Any = transformers.logging  # its functions have no types
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return transformers


@contextmanager
def _held(threads: int) -> Iterator[None]:
    """Run without gradients, on this many threads."""
    if torch().get_num_threads() != threads:
        torch().set_num_threads(threads)
    with torch().inference_mode():
        yield
