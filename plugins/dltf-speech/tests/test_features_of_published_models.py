"""Two published front ends, by what their models answer."""

from __future__ import annotations

import numpy as np
import pytest
from real_sound import data, digit_strings, keyword_clip

from dltf.plugin import Quantisation, TensorSpec
from dltf_speech.decoders.ctc import Ctc
from dltf_speech.features.settings import SpeechInput
from dltf_speech.features.tensors import Features

DIGITS = SpeechInput(features="log_mel", window_samples=256, hop_samples=80, n_fft=256, fmin_hz=20.0, fmax_hz=4000.0)
KEYWORDS = SpeechInput(
    features="mfcc",
    samples=16000,
    scale="maximum",
    window_samples=480,
    hop_samples=320,
    n_fft=512,
    frames="window",
    spectrum="magnitude",
    fmin_hz=20.0,
    fmax_hz=4000.0,
    mel_triangles="mel",
    n_mfcc=10,
    dct_norm="htk",
)
WORDS = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown"]


def test_digit_strings_are_read_as_their_publisher_says():
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(data("models/speech/digits_ctc.onnx"), providers=["CPUExecutionProvider"])
    clips, texts = digit_strings()
    prepare = Features(8000).bind([TensorSpec("log_mel", (None, None, 40), "float32")], DIGITS)
    decoder = Ctc(alphabet_file=data("models/speech/digits_ctc.json"))
    read = {}
    for rows, tensors in prepare(clips):
        outputs = {"logits": session.run(["logits"], tensors)[0]}
        settled = decoder.settle([TensorSpec("logits", (None, None, 17), "float32")], outputs)
        seen = settled.decode(outputs)
        assert settled.scores == "logits"
        assert (seen.log_scores < 0).all()
        read |= dict(zip(rows.tolist(), seen.decisions, strict=True))
    assert sum(read[row] == text for row, text in enumerate(texts)) == 197


def keyword_odds(file, sound):
    interpreting = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = interpreting.Interpreter(str(data(f"models/mlperf_tiny/{file}")), num_threads=1)
    interpreter.allocate_tensors()
    given, told = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    quantised = given["dtype"] != np.float32
    quantisation = Quantisation(*given["quantization"]) if quantised else None
    spec = TensorSpec("input", tuple(given["shape"]), np.dtype(given["dtype"]).name, quantisation)
    [(_, tensors)] = Features(16000).bind([spec], KEYWORDS)([sound])
    values = tensors["input"]
    if quantised:
        scale, zero = given["quantization"]
        values = np.clip(np.rint(values / scale) + zero, -128, 127).astype(np.int8)
    interpreter.set_tensor(given["index"], values)
    interpreter.invoke()
    odds = interpreter.get_tensor(told["index"])[0].astype(np.float64)
    return (odds - told["quantization"][1]) * told["quantization"][0] if quantised else odds


@pytest.mark.parametrize(("file", "odds"), [("kws_ref_model_float32.tflite", 0.999), ("kws_ref_model.tflite", 0.996)])
def test_yes_is_heard_as_its_publisher_says(file, odds):
    heard = keyword_odds(file, keyword_clip("yes"))
    assert WORDS[heard.argmax()] == "yes"
    assert heard.max() == pytest.approx(odds, abs=0.0005)


def test_silence_and_noise_are_heard_as_such():
    heard = {
        name: WORDS[keyword_odds("kws_ref_model.tflite", keyword_clip(name)).argmax()] for name in ("silence", "noise")
    }
    assert heard == {"silence": "silence", "noise": "unknown"}
