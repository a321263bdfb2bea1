"""Mozilla DeepSpeech's graph, on a stand-in of its signature: the released files are not here, and were not run."""

from __future__ import annotations

import itertools
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError, ModelFileError, RuntimeFailedError, TargetUnavailableError
from dltf_speech.backends.deepspeech import DeepSpeech, windows_of
from dltf_speech.decoders.ctc import Ctc

pytest.importorskip("ai_edge_litert", reason="runs the graph: pip install 'dltf-speech[deepspeech]'")
from standin_deepspeech import CHARACTERS, STEP, WINDOW, answers, save  # it takes LiteRT's schema

TARGETS = ("cpu", "cpu-builtin", "cpu-reference")


def noise(length, seed=0, level=3000):
    return np.random.default_rng(seed).normal(0, level, length).astype(np.int16)


def heard(file, clips, target="cpu", **given):
    with DeepSpeech(**given).open(file, target) as runner:
        return runner.run({"sample": np.asarray(clips)})["logits"]


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return save(tmp_path_factory.mktemp("deepspeech") / "model.tflite")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 831, 832, 16 * 320 + 192, 17 * 320, 16000])
def test_it_answers_as_the_streaming_client_would(graph, target, length):
    clip = noise(length)
    ours, theirs = heard(graph, clip[None], target), answers(clip)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs[None], atol=2e-5)


def test_the_output_is_probabilities(graph):
    rows = heard(graph, noise(4000)[None])
    np.testing.assert_allclose(rows.sum(axis=2), 1, atol=1e-5)
    assert rows.shape[2] == len(CHARACTERS) + 1


def test_the_state_is_kept_within_a_clip_and_forgotten_after_it(graph):
    clips = np.stack([noise(8000, seed) for seed in range(3)])
    with DeepSpeech().open(graph, "cpu") as runner:
        together = runner.run({"sample": clips})["logits"]
        alone = [runner.run({"sample": clip[None]})["logits"][0] for clip in clips]
    assert np.array_equal(together, np.stack(alone))
    later = heard(graph, np.stack([np.concatenate([noise(16 * STEP, 9), clip]) for clip in clips]))
    assert np.abs(later[:, 17:26] - together[:, 1:10]).max() > 1e-3  # what was heard before has a say


def test_no_clips_give_no_rows(graph):
    assert heard(graph, np.zeros((0, 832), np.int16)).shape == (0, 3, 29)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 4 * WINDOW))
def test_windows_hold_every_sample_and_then_silence(length):
    clip = np.arange(1, length + 1, dtype=np.float32)
    windows = windows_of(clip, WINDOW, STEP)
    flat = np.concatenate([windows[:-1, :STEP].ravel(), windows[-1]])
    assert np.array_equal(flat[:length], clip)
    assert not flat[length:].any()
    assert len(windows) == (1 if length < WINDOW else (length - WINDOW) // STEP + 2)


def test_the_notes_are_settings_of_the_decoder(graph):
    with DeepSpeech().open(graph, "cpu") as runner:
        told, rows = runner.notes[1].partition(": ")[2], runner.run({"sample": noise(16000)[None]})
        spec = runner.outputs[0]
    table = tomllib.loads(told.replace(", blank", "\nblank").replace(", separator", "\nseparator"))
    assert "".join(table["alphabet"]) == CHARACTERS
    decoder = Ctc(**{**table, "alphabet": tuple(table["alphabet"])}).settle([spec], rows)
    best = [(f"{CHARACTERS}_")[number] for number, _ in itertools.groupby(rows["logits"][0].argmax(axis=1))]
    assert decoder.scores == "probabilities"
    assert decoder.decode(rows).decisions == [" ".join("".join(best).replace("_", "").split())]


def test_clips_of_another_rate_are_a_misfit(graph, tmp_path):
    with pytest.raises(MisfitError, match="for 16000 Hz, and the clips have 8000 Hz"):
        DeepSpeech(rate_hz=8000).open(graph, "cpu")


@pytest.mark.parametrize("lost", ["mfccs", "new_state_h", "metadata_feature_win_step"])
def test_a_graph_of_another_signature_is_refused(tmp_path, lost):
    file = save(tmp_path / "other.tflite", without=(lost,))
    with pytest.raises(ModelFileError, match=f'other.tflite is no graph of DeepSpeech 0.7 to 0.9: it lacks "{lost}"'):
        DeepSpeech().open(file, "cpu")


def test_a_graph_without_an_alphabet_will_do(tmp_path):
    clip = noise(2000)
    file = save(tmp_path / "plain.tflite", without=("metadata_alphabet",))
    np.testing.assert_allclose(heard(file, clip[None])[0], answers(clip), atol=2e-5)


def test_a_graph_of_an_older_version_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="of version 5, and 6 is the oldest"):
        DeepSpeech().open(save(tmp_path / "old.tflite", version=5), "cpu")


@pytest.mark.parametrize("kept", [0, 7, 0.3, 0.9])
def test_a_damaged_file_is_named(graph, tmp_path, kept):
    whole = graph.read_bytes()
    file = tmp_path / "damaged.tflite"
    file.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(ModelFileError, match=r"damaged\.tflite"):
        DeepSpeech().open(file, "cpu")
    with pytest.raises(ModelFileError, match=r"there is no model file .*nowhere\.tflite"):
        DeepSpeech().open(tmp_path / "nowhere.tflite", "cpu")


def test_a_target_that_is_not_here_is_named(graph):
    with pytest.raises(TargetUnavailableError, match='did you mean "cpu-reference"'):
        DeepSpeech().open(graph, "cpu-refernce")


def test_what_is_no_clip_is_refused(graph):
    with DeepSpeech().open(graph, "cpu") as runner:
        with pytest.raises(RuntimeFailedError, match=r"not float32\[2, 400\]"):
            runner.run({"sample": np.zeros((2, 400), np.float32)})
        with pytest.raises(RuntimeFailedError, match='by the name "sample"'):
            runner.run({"input_node": np.zeros((1, 400), np.int16)})
