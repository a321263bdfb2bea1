"""A pair of Whisper's kind that can be worked out by hand: it tells quiet from loud, and adds a word with an accent.

The encoder gives the mean of each mel band. The decoder looks up, for each token, what may follow (`FOLLOWS`), and
adds (the mean of all bands + 1) × `PULL`. Silence has the mean −1.5 exactly, so there "quiet" gains 2.5 and "loud"
loses 2.5; noise is the other way round. The token "um" would always be the likeliest, and a blank the likeliest to
begin with: both are suppressed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, parser

TOKENS = (
    "quiet",
    "loud",
    "Ġcaf",
    "Ã©",
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|de|>",
    "<|transcribe|>",
    "<|notimestamps|>",
    "Ġum",
    "Ġ",
)
QUIET, LOUD, CAF, ACCENT, END, START, EN, DE, TRANSCRIBE, NO_TIMES, UM, BLANK = range(len(TOKENS))
PULL = np.zeros(len(TOKENS), dtype=np.float32)
PULL[QUIET], PULL[LOUD] = -5, 5
FOLLOWS = np.full((len(TOKENS), len(TOKENS)), -9, dtype=np.float32)
FOLLOWS[:, UM] = 50
FOLLOWS[NO_TIMES, [QUIET, LOUD, BLANK]] = [6, 6, 30]
FOLLOWS[[QUIET, LOUD], CAF] = 9
FOLLOWS[CAF, ACCENT] = 9
FOLLOWS[ACCENT, END] = 9

_ENCODER = """
<ir_version: 8, opset_import: ["" : 17]>
encoder (float[n, 80, frames] input_features) => (float[n, one, bands] last_hidden_state) {
  means = ReduceMean <axes = [2], keepdims = 1> (input_features)
  last_hidden_state = Transpose <perm = [0, 2, 1]> (means)
}
"""
_DECODER = """
<ir_version: 8, opset_import: ["" : 17]>
decoder (int64[n, t] input_ids, float[n, s, bands] encoder_hidden_states) => (float[n, t, tokens] logits) {
  rows = Gather <axis = 0> (follows, input_ids)
  level = ReduceMean <axes = [1, 2], keepdims = 1> (encoder_hidden_states)
  one = Constant <value = float {1.0}> ()
  raised = Add (level, one)
  pulled = Mul (raised, pull)
  logits = Add (rows, pulled)
}
"""


def save(folder: Path, suffix: str = "") -> Path:
    """Write the pair and the files beside it; return the encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(parser.parse_model(_ENCODER), folder / f"encoder_model{suffix}.onnx")
    decoder = parser.parse_model(_DECODER)
    decoder.graph.initializer.extend(
        [numpy_helper.from_array(FOLLOWS, "follows"), numpy_helper.from_array(PULL, "pull")]
    )
    onnx.save(decoder, folder / f"decoder_model{suffix}.onnx")
    settings = {
        "config.json": {"decoder_start_token_id": START, "eos_token_id": END, "model_type": "whisper"},
        "generation_config.json": {
            "lang_to_id": {"<|en|>": EN, "<|de|>": DE},
            "task_to_id": {"transcribe": TRANSCRIBE},
            "no_timestamps_token_id": NO_TIMES,
            "suppress_tokens": [UM],
            "begin_suppress_tokens": [BLANK, END],
        },
        "preprocessor_config.json": {"feature_size": 80, "sampling_rate": 16000},
        "vocab.json": {token: number for number, token in enumerate(TOKENS)},
    }
    for name, told in settings.items():
        (folder / name).write_text(json.dumps(told), encoding="utf-8")
    return folder / f"encoder_model{suffix}.onnx"


def log_score(level: float) -> float:
    """Return the log-score of the likeliest sentence at a mean level of the bands, by the table above."""
    pull = 5 * abs(level + 1)
    others = len(TOKENS) - 2  # at the beginning, without the two that are suppressed throughout or there
    first = np.exp([6 + pull, 6 - pull, *[-9.0] * (others - 3)]).sum()  # a blank and the end are suppressed there
    rest = np.exp([9.0, -9 + pull, -9 - pull, *[-9.0] * (len(TOKENS) - 4)]).sum()
    return float((6 + pull) - np.log(first) + 3 * (9 - np.log(rest)))
