"""Encoder and decoder pairs of Whisper's kind, on a pair that can be worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import whisper_pair
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError, ModelFileError, RuntimeFailedError, TargetUnavailableError
from dltf_speech.backends.whisper_features import log_mel
from dltf_speech.backends.whisper_onnx import WhisperOnnx
from dltf_speech.backends.whisper_tokens import prompt_of, text_of

pytest.importorskip("onnxruntime", reason="runs the pair: pip install 'dltf-speech[whisper]'")

SECOND = 16000
SILENCE = np.zeros(SECOND, dtype=np.int16)
NOISE = np.random.default_rng(0).normal(0, 9000, SECOND).clip(-32768, 32767).astype(np.int16)


@pytest.fixture
def encoder(tmp_path):
    return whisper_pair.save(tmp_path / "whisper")


def heard(file, *clips, **given):
    with WhisperOnnx(**{"length_s": 1.0, **given}).open(file, "cpu") as runner:
        return runner.run({"sample": np.stack(clips)})


def edited(encoder, name, **told):
    file = encoder.parent / name
    file.write_text(json.dumps(json.loads(file.read_text()) | told))


# --- answers -----------------------------------------------------------------------------------------------------


def test_it_writes_what_the_table_says(encoder):
    answers = heard(encoder, SILENCE, NOISE)
    assert answers["text"].tolist() == ["quiet café", "loud café"]
    level = float(log_mel(NOISE / np.float32(32768), 100, 80).mean())
    expected = [whisper_pair.log_score(-1.5), whisper_pair.log_score(level)]
    np.testing.assert_allclose(answers["log_score"], expected, rtol=1e-5)


def test_a_clip_is_answered_alone_and_again_the_same(encoder):
    with WhisperOnnx(length_s=1.0).open(encoder, "cpu") as runner:
        both = runner.run({"sample": np.stack([SILENCE, NOISE])})
        for row, clip in enumerate((SILENCE, NOISE)):
            one = runner.run({"sample": clip[None]})
            assert all(one[name][0] == both[name][row] for name in both)


def test_a_shorter_clip_is_one_with_silence_behind(encoder):
    short = NOISE[:5000]
    filled = np.concatenate([short, np.zeros(SECOND - 5000, np.int16)])
    assert heard(encoder, short)["log_score"] == heard(encoder, filled)["log_score"]
    assert heard(encoder, SILENCE[:0])["text"].tolist() == ["quiet café"]


def test_a_longer_clip_than_it_hears_is_a_misfit(encoder):
    with pytest.raises(MisfitError, match=r"hears 1 s, and a clip has 1\.5 s"):
        heard(encoder, np.zeros(24000, np.int16))
    assert heard(encoder, np.zeros(24000, np.int16), length_s=1.5)["text"].tolist() == ["quiet café"]


def test_an_answer_ends_at_max_tokens(encoder):
    assert heard(encoder, SILENCE, max_tokens=2)["text"].tolist() == ["quiet caf"]


def test_the_folder_stands_for_its_encoder_and_a_suffix_for_its_decoder(encoder, tmp_path):
    assert heard(encoder.parent, SILENCE)["text"].tolist() == ["quiet café"]
    smaller = whisper_pair.save(tmp_path / "whisper", "_quantized")
    names = [path.name for path in WhisperOnnx().files(smaller)]
    assert names[:2] == ["encoder_model_quantized.onnx", "decoder_model_quantized.onnx"]
    assert {"config.json", "generation_config.json", "vocab.json"} <= set(names)


def test_settings_may_be_in_the_folder_above(encoder):
    folder = encoder.parent / "onnx"
    folder.mkdir()
    moved = [path.rename(folder / path.name) for path in encoder.parent.glob("*.onnx")]
    assert heard(next(path for path in moved if "encoder" in path.name), SILENCE)["text"].tolist() == ["quiet café"]


# --- the front end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bands", [80, 128])
def test_the_front_end_is_that_of_transformers(bands):
    transformers = pytest.importorskip("transformers", reason="compares: pip install 'dltf-speech[transformers]'")
    theirs = transformers.WhisperFeatureExtractor(feature_size=bands, chunk_length=2)
    clip = NOISE / np.float32(32768)
    expected = theirs(clip, sampling_rate=16000, return_tensors="np")["input_features"][0]
    np.testing.assert_allclose(log_mel(clip, 200, bands), expected, atol=1e-5)


def test_silence_is_level():
    assert (log_mel(np.zeros(1000, np.float32), 100, 80) == -1.5).all()


# --- tokens ------------------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.text(max_size=12))
def test_bytes_come_back_from_the_characters_that_stand_for_them(text):
    tokenizers = pytest.importorskip("tokenizers", reason="compares: pip install 'dltf-speech[transformers]'")
    written = "".join(part for part, _ in tokenizers.pre_tokenizers.ByteLevel(False).pre_tokenize_str(text))
    assert text_of(range(len(written)), dict(enumerate(written))) == text


def test_half_a_character_is_replaced():
    assert text_of([0], {0: "Ã"}) == "�"


TOLD = {"decoder_start_token_id": 5, "eos_token_id": 4}


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ({}, (5,)),
        ({"no_timestamps_token_id": 9}, (5, 9)),
        ({"forced_decoder_ids": [[2, 8], [1, 6], [3, 9]], "no_timestamps_token_id": 9}, (5, 6, 8, 9)),
        ({"forced_decoder_ids": [[1, None], [2, 8]]}, (5, 8)),
        ({"lang_to_id": {"<|de|>": 7}, "task_to_id": {"transcribe": 8}, "no_timestamps_token_id": 9}, (5, 7, 8, 9)),
    ],
)
def test_a_transcription_begins_as_the_files_say(told, start):
    assert prompt_of(TOLD | told, "de", "transcribe").start == start


def test_tokens_that_are_no_numbers_are_not_suppressed():
    assert prompt_of(TOLD | {"suppress_tokens": [-1, 3]}, "", "").never == (3,)


def test_a_language_that_the_model_knows_not_is_a_misfit(encoder):
    with pytest.raises(MisfitError, match=r'knows no language "<\|fr\|>"'):
        heard(encoder, SILENCE, language="fr")


def test_the_tokenizer_of_the_newer_form_is_read(encoder):
    vocabulary = json.loads((encoder.parent / "vocab.json").read_text())
    special = [{"id": number, "content": token} for token, number in vocabulary.items() if token.startswith("<|")]
    told = {"model": {"vocab": vocabulary}, "added_tokens": special}
    (encoder.parent / "tokenizer.json").write_text(json.dumps(told))
    (encoder.parent / "vocab.json").unlink()
    assert heard(encoder, NOISE)["text"].tolist() == ["loud café"]


# --- what does not fit -------------------------------------------------------------------------------------------


def test_clips_of_another_rate_are_a_misfit(encoder):
    with pytest.raises(MisfitError, match="for 16000 Hz, and the clips have 8000 Hz"):
        heard(encoder, SILENCE, rate_hz=8000)


def test_other_bands_than_the_encoder_takes_are_a_misfit(encoder):
    edited(encoder, "preprocessor_config.json", feature_size=128)
    with pytest.raises(MisfitError, match="gets 128 bands of 100 frames"):
        heard(encoder, SILENCE)


@pytest.mark.parametrize("lost", ["decoder_model.onnx", "vocab.json"])
def test_a_file_that_is_missing_is_named(encoder, lost):
    (encoder.parent / lost).unlink()
    with pytest.raises(ModelFileError, match=lost):
        heard(encoder, SILENCE)


def test_files_that_tell_no_beginning_are_refused(encoder):
    (encoder.parent / "config.json").unlink()
    with pytest.raises(ModelFileError, match="decoder_start_token_id"):
        heard(encoder, SILENCE)


@pytest.mark.parametrize("name", ["encoder_model.onnx", "decoder_model.onnx", "config.json", "vocab.json"])
def test_a_damaged_file_is_named(encoder, name):
    file = encoder.parent / name
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ModelFileError, match=name):
        heard(encoder, SILENCE)


def test_two_encoders_are_no_pair(encoder):
    (encoder.parent / "decoder_model.onnx").write_bytes(encoder.read_bytes())
    with pytest.raises(ModelFileError, match='has no "input_ids"'):
        heard(encoder, SILENCE)


def test_a_target_that_is_not_here_says_why(encoder):
    usable = {target.name: target.usable for target in WhisperOnnx().targets()}
    assert usable["cpu"]
    assert set(usable) == {"cpu", "cuda"}
    with pytest.raises(TargetUnavailableError, match='did you mean "cpu"'):
        WhisperOnnx().open(encoder, "cpus")


def test_a_closed_pair_refuses(encoder):
    with WhisperOnnx(length_s=1.0).open(encoder, "cpu") as runner:
        pass
    with pytest.raises(RuntimeFailedError, match="has been closed"):
        runner.run({"sample": SILENCE[None]})
