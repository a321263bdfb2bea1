"""A small graph of DeepSpeech's signature, with its feature kernels and a state; and what it answers, in numpy.

The signature is that of `create_inference_graph` and `export` in training/deepspeech_training/train.py of DeepSpeech
0.9: the names, shapes and types of inputs and outputs, AudioSpectrogram and Mfcc as custom operators, constants that
describe the file. The network between them is ours: one linear layer, and a state that is halved and added to.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from tiny_tflite import Graph

STEPS, CONTEXT, COEFFICIENTS, STATE, CLASSES = 16, 9, 26, 4, 29
WINDOW, STEP, RATE_HZ = 512, 320, 16000
CHARACTERS = " abcdefghijklmnopqrstuvwxyz'"
_WIDTH = (2 * CONTEXT + 1) * COEFFICIENTS
_draws = np.random.default_rng(5)
LAYER = _draws.normal(0, 0.05, (CLASSES, _WIDTH)).astype(np.float32)
FROM_STATE = _draws.normal(0, 1.0, (CLASSES, STATE)).astype(np.float32)
TO_STATE = _draws.normal(0, 0.01, (STATE, STEPS * _WIDTH)).astype(np.float32)
BIAS, NO_BIAS = np.linspace(-1, 1, CLASSES, dtype=np.float32), np.zeros(STATE, dtype=np.float32)


def save(
    file: Path, *, version: int = 6, rate_hz: int = RATE_HZ, without: tuple[str, ...] = (), logits: str = "logits"
) -> Path:
    """Write the graph; outputs in `without` are left out."""
    graph = Graph()
    samples, mfccs = _features(graph, rate_hz)
    inputs, outputs = _acoustic(graph, logits)
    named = {"mfccs": mfccs, **outputs}
    told = {"version": version, "sample_rate": rate_hz, "feature_win_len": 32, "feature_win_step": 20}
    named |= {f"metadata_{name}": graph.constant(f"metadata_{name}", [value], "int32") for name, value in told.items()}
    named["metadata_alphabet"] = _text(graph, "metadata_alphabet", packed_alphabet())
    return graph.save(file, [*inputs, samples], [index for name, index in named.items() if name not in without])


def packed_alphabet() -> bytes:
    """Return the alphabet as `Alphabet::Serialize` of DeepSpeech's client writes it."""
    pairs = [struct.pack("<HH", i, 1) + letter.encode() for i, letter in enumerate(CHARACTERS)]
    return struct.pack("<H", len(pairs)) + b"".join(pairs)


def answers(clip: np.ndarray) -> np.ndarray:
    """Return what the graph says of a clip, int16 [length]: probabilities [windows, classes]."""
    samples = clip.astype(np.float64) / 32768
    buffer, windows = list(samples), []
    while len(buffer) >= WINDOW:
        windows.append(buffer[:WINDOW])
        buffer = buffer[STEP:]
    windows.append(buffer + [0.0] * (WINDOW - len(buffer)))
    silence = [np.zeros(COEFFICIENTS)] * CONTEXT
    frames = [*silence, *(mfcc(np.array(window)) for window in windows), *silence]
    timesteps = [np.concatenate(frames[i : i + 2 * CONTEXT + 1]) for i in range(len(windows))]
    state_c, state_h = np.zeros(STATE), np.zeros(STATE)
    said = []
    for first in range(0, len(timesteps), STEPS):
        some = np.array(timesteps[first : first + STEPS])
        filled = np.concatenate([some, np.zeros((STEPS - len(some), _WIDTH))])
        raw = filled @ LAYER.T + BIAS + FROM_STATE @ state_h
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        said.append((powers / powers.sum(axis=1, keepdims=True))[: len(some)])
        state_c = 0.5 * state_c + TO_STATE @ filled.ravel()
        state_h = state_h + state_c
    return np.concatenate(said)


def mfcc(window: np.ndarray) -> np.ndarray:
    """Return TensorFlow's cepstral coefficients of one window: periodic Hann, 40 bands of 20 to 8000 Hz."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.rfft(window * hann)) ** 2
    bands = np.maximum(np.sqrt(power) @ _mel_weights().T, 1e-12)
    i, j = np.arange(COEFFICIENTS)[:, None], np.arange(40)[None, :]
    return (np.sqrt(2 / 40) * np.cos(np.pi / 40 * i * (j + 0.5))) @ np.log(bands)


def _mel_weights() -> np.ndarray:
    """Return [40, 257]: triangles between 42 points that are evenly spaced on the mel scale.

    TensorFlow's kernel begins at bin 1.5 + 20 Hz ÷ the width of a bin, cut off: the first two count for nothing.
    """
    hz = np.arange(WINDOW // 2 + 1) * (RATE_HZ / WINDOW)
    mel = 1127 * np.log1p(hz / 700)
    points = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700), 42)
    rising = (mel - points[:-2, None]) / (points[1:-1] - points[:-2])[:, None]
    falling = (points[2:, None] - mel) / (points[2:] - points[1:-1])[:, None]
    weights = np.clip(np.minimum(rising, falling), 0, None)
    weights[:, : int(1.5 + 20 / (RATE_HZ / WINDOW))] = 0
    return weights


def _features(graph: Graph, rate_hz: int) -> tuple[int, int]:
    samples = graph.tensor("input_samples", [WINDOW])
    column, spectrum = graph.tensor("column", [WINDOW, 1]), graph.tensor("spectrum", [1, 1, WINDOW // 2 + 1])
    coefficients, mfccs = graph.tensor("coefficients", [1, 1, COEFFICIENTS]), graph.tensor("mfccs", [1, COEFFICIENTS])
    rate = graph.constant("rate", rate_hz, "int32")
    _reshape(graph, samples, column, [WINDOW, 1])
    graph.operator("custom:AudioSpectrogram", [column], [spectrum])
    _options(graph, window_size=WINDOW, stride=STEP, magnitude_squared=True)
    graph.operator("custom:Mfcc", [spectrum, rate], [coefficients])
    _options(
        graph,
        upper_frequency_limit=rate_hz / 2,
        lower_frequency_limit=20.0,
        filterbank_channel_count=40,
        dct_coefficient_count=COEFFICIENTS,
    )
    _reshape(graph, coefficients, mfccs, [1, COEFFICIENTS])
    return samples, mfccs


def _acoustic(graph: Graph, logits: str) -> tuple[list[int], dict[str, int]]:
    node = graph.tensor("input_node", [1, STEPS, 2 * CONTEXT + 1, COEFFICIENTS])
    before_c, before_h = graph.tensor("previous_state_c", [1, STATE]), graph.tensor("previous_state_h", [1, STATE])
    rows, flat = graph.tensor("rows", [STEPS, _WIDTH]), graph.tensor("flat", [1, STEPS * _WIDTH])
    seen, kept = graph.tensor("seen", [STEPS, CLASSES]), graph.tensor("kept", [1, CLASSES])
    raw, said = graph.tensor("raw", [STEPS, CLASSES]), graph.tensor(logits, [STEPS, CLASSES])
    news, half = graph.tensor("news", [1, STATE]), graph.tensor("half", [1, STATE])
    new_c, new_h = graph.tensor("new_state_c", [1, STATE]), graph.tensor("new_state_h", [1, STATE])
    _reshape(graph, node, rows, [STEPS, _WIDTH])
    _reshape(graph, node, flat, [1, STEPS * _WIDTH])
    _dense(graph, rows, LAYER, BIAS, seen)
    _dense(graph, before_h, FROM_STATE, np.zeros(CLASSES), kept)
    graph.operator("ADD", [seen, kept], [raw], options="AddOptions")
    graph.operator("SOFTMAX", [raw], [said], options="SoftmaxOptions", beta=1.0)
    _dense(graph, flat, TO_STATE, NO_BIAS, news)
    graph.operator("MUL", [before_c, graph.constant("a_half", [[0.5]])], [half], options="MulOptions")
    graph.operator("ADD", [half, news], [new_c], options="AddOptions")
    graph.operator("ADD", [before_h, new_c], [new_h], options="AddOptions")
    return [node, before_c, before_h], {"logits": said, "new_state_c": new_c, "new_state_h": new_h}


def _dense(graph: Graph, x: int, weights: np.ndarray, bias: np.ndarray, y: int) -> None:
    constants = [graph.constant(f"w{y}", weights), graph.constant(f"b{y}", bias)]
    graph.operator("FULLY_CONNECTED", [x, *constants], [y], options="FullyConnectedOptions")


def _reshape(graph: Graph, x: int, y: int, shape: list[int]) -> None:
    to = graph.constant(f"to{y}", shape, "int32")
    graph.operator("RESHAPE", [x, to], [y], options="ReshapeOptions", newShape=shape)


def _options(graph: Graph, **values: object) -> None:
    """Give the last operator, a custom one, its options."""
    packed = flexbuffers.Dumps(values)
    graph.operators[-1].customOptions = np.frombuffer(packed, dtype=np.uint8)


def _text(graph: Graph, name: str, value: bytes) -> int:
    """Add a constant string: how many there are, where each begins, where the last ends, and the bytes."""
    packed = np.frombuffer(struct.pack("<iii", 1, 12, 12 + len(value)) + value, dtype=np.uint8)
    index = graph.tensor(name, [1], "uint8", values=packed)
    graph.tensors[index].shape, graph.tensors[index].type = [1], schema.TensorType.STRING
    return index
