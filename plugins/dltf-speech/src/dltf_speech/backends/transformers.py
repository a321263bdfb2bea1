"""Hugging Face models of speech to text, from a directory: Whisper and its kin, Wav2Vec2 and its kin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from attrs import field, frozen, validators

from dltf.plugin import Target
from dltf_speech.backends import torch_devices

if TYPE_CHECKING:
    from dltf.plugin import Runner

CONFIG = "config.json"
_READ = (".json", ".jinja", ".model", ".safetensors", ".txt")


@frozen
class Transformers:
    """Runs a saved model with its own processor, clip by clip, with a greedy search.

    `file` is the directory's config.json, or the directory. Nothing is downloaded, no code of the directory is run,
    and weights are read from safetensors alone. A model that writes gives `text` and `log_score`, the sum of the
    tokens' log-probabilities, for the decoder `text`; one that is trained by CTC gives `logits` for the decoder `ctc`,
    and beside them the `text` of the likeliest path with that path's `log_score`.
    """

    rate_hz: int = field(default=16000, validator=validators.gt(0))  # of the clips; the directory says what it takes
    precision: Literal["float32", "bfloat16", "float16", "int8"] = "float32"  # int8: of linear layers, dynamic, on cpu
    language: str = ""  # of a multilingual Whisper, as its code ("en"); empty: it finds out, clip by clip
    max_tokens: int = field(default=224, validator=validators.ge(1))  # of an answer, at most
    threads: int = field(default=1, validator=validators.ge(1))

    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def targets(self) -> Sequence[Target]:
        return torch_devices.targets()

    def open(self, file: Path, target: str) -> Runner:
        from dltf_speech.backends.transformers_model import open_model

        return open_model(self, file / CONFIG if file.is_dir() else file, torch_devices.usable(target))

    def files(self, file: Path) -> Sequence[Path]:
        """Return config.json and what is read beside it: weights, processor, tokenizer."""
        first = file / CONFIG if file.is_dir() else file
        if not first.is_file():
            return []
        return [first, *sorted(path for path in first.parent.iterdir() if path.suffix in _READ and path != first)]

    def versions(self) -> Mapping[str, str]:
        found = {}
        for name in ("transformers", "torch", "tokenizers"):
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = "not installed"
        return found
