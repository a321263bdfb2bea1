"""From Whisper's token numbers to text, and which tokens it begins and ends with: the JSON files beside the model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.plugin import MisfitError, ModelFileError, nearest

TOKENIZERS = ("tokenizer.json", "vocab.json")
SETTINGS = ("config.json", "generation_config.json", "preprocessor_config.json")


@frozen
class Prompt:
    """How a transcription begins and ends, in token numbers."""

    start: tuple[int, ...]
    end: int
    never: tuple[int, ...]  # suppressed throughout
    not_first: tuple[int, ...]  # suppressed at the beginning: silence is no answer


def beside(file: Path, name: str) -> Path | None:
    """Return the file of this name in the model's folder or in the one above: exporters put models into `onnx/`."""
    return next((path for path in (file.parent / name, file.parent.parent / name) if path.is_file()), None)


def read_settings(file: Path) -> dict[str, Any]:
    """Return what the JSON files beside a model say, later files over earlier ones; none of them has to be there."""
    told: dict[str, Any] = {}
    for name in SETTINGS:
        path = beside(file, name)
        told |= {key: value for key, value in (_json(path) if path else {}).items() if value is not None}
    return told


def prompt_of(told: Mapping[str, Any], language: str, task: str) -> Prompt:
    """Return the prompt for a language and a task; raise `MisfitError` where the model knows them not."""
    start, end = told.get("decoder_start_token_id"), told.get("eos_token_id")
    if not isinstance(start, int) or not isinstance(end, int):
        raise ModelFileError(
            "config.json and generation_config.json tell no decoder_start_token_id or no eos_token_id",
            hint="put the files of the model's export beside the .onnx files",
        )
    tokens = [start]
    languages, tasks = told.get("lang_to_id") or {}, told.get("task_to_id") or {}
    if languages:
        tokens += [_known(languages, f"<|{language}|>", "language"), _known(tasks, task, "task")]
    elif told.get("forced_decoder_ids"):
        tokens += [token for _, token in sorted(told["forced_decoder_ids"]) if token is not None]
    quiet = told.get("no_timestamps_token_id")
    if quiet is not None and quiet not in tokens:
        tokens.append(int(quiet))
    never, not_first = (
        tuple(token for token in told.get(key, ()) if token >= 0)
        for key in ("suppress_tokens", "begin_suppress_tokens")
    )
    return Prompt(tuple(tokens), end, never, not_first)


def read_vocabulary(file: Path) -> Mapping[int, str]:
    """Return the token of each number as it is written, without the special ones, which are no text."""
    path = next((found for name in TOKENIZERS if (found := beside(file, name)) is not None), None)
    if path is None:
        raise ModelFileError(
            f"there is no tokenizer.json and no vocab.json beside {file}",
            hint="put the files of the model's export beside the .onnx files",
        )
    told = _json(path)
    table = told.get("model", {}).get("vocab", {}) if path.name == TOKENIZERS[0] else told
    special = {added.get("content") for added in told.get("added_tokens", ())}
    written = {int(number): str(token) for token, number in table.items() if token not in special}
    tokens = {number: token for number, token in written.items() if not token.startswith("<|")}
    if not tokens:
        raise ModelFileError(f"{path} has no tokens", hint="export the model's tokenizer again")
    return tokens


def text_of(tokens: Sequence[int], vocabulary: Mapping[int, str]) -> str:
    """Return the text of byte-level tokens: each character stands for a byte, and the bytes are UTF-8."""
    written = "".join(vocabulary.get(token, "") for token in tokens)
    return _bytes_of(written).decode("utf-8", errors="replace")


def _bytes_of(written: Iterable[str]) -> bytes:
    table = byte_of_character()
    return b"".join(bytes([table[letter]]) if letter in table else letter.encode() for letter in written)


@cache
def byte_of_character() -> Mapping[str, int]:
    """Return GPT-2's table: printable Latin-1 characters stand for themselves, 256 and on for the other bytes."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


def _known(table: Mapping[str, int], name: str, what: str) -> int:
    if name not in table:
        raise MisfitError(
            f'the model knows no {what} "{name}"{nearest(name, table)}', hint=f"set {what} to one of them"
        )
    return int(table[name])


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}", hint="export or download it again") from error
    if not isinstance(told, dict):
        raise ModelFileError(f"{path} is no table of settings: it begins with {str(told)[:20]!r}")
    return told
