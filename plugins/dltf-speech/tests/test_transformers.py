"""Hugging Face directories, on small models with random weights."""

from __future__ import annotations

import itertools
import json
import socket

import hugging_face
import numpy as np
import pytest

from dltf.plugin import MisfitError, ModelFileError, RuntimeFailedError, TargetUnavailableError, TensorSpec
from dltf_speech.backends.transformers import Transformers
from dltf_speech.decoders.ctc import Ctc
from dltf_speech.decoders.text import Text

torch = pytest.importorskip("torch", reason="runs the models: pip install 'dltf-speech[transformers]'")
transformers = pytest.importorskip("transformers", reason="loads the models: pip install 'dltf-speech[transformers]'")

CLIPS = np.random.default_rng(0).normal(0, 6000, (3, 9000)).clip(-32768, 32767).astype(np.int16)
TOKENS = 12


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    return hugging_face.whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory):
    return hugging_face.wav2vec2(tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module", params=["whisper", "wav2vec2"])
def either(request):
    return request.getfixturevalue(request.param)


def heard(file, clips, **given):
    with Transformers(max_tokens=TOKENS, **given).open(file, "cpu") as runner:
        return runner.run({"sample": clips})


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


# --- answers -----------------------------------------------------------------------------------------------------


def test_a_model_that_writes_writes_its_likeliest_tokens_and_tells_their_log_probability(whisper):
    """Against a greedy loop of our own over the model's forward pass, without its `generate`."""
    model = transformers.WhisperForConditionalGeneration.from_pretrained(whisper.parent)
    processor = transformers.WhisperProcessor.from_pretrained(whisper.parent)
    answers = heard(whisper, CLIPS)
    for clip, text, score in zip(CLIPS, answers["text"], answers["log_score"], strict=True):
        sound = processor(clip / np.float32(32768), sampling_rate=16000, return_tensors="pt").input_features
        tokens, total = [model.config.decoder_start_token_id, model.generation_config.no_timestamps_token_id], 0.0
        for _ in range(TOKENS):
            with torch.no_grad():
                logits = model(sound, decoder_input_ids=torch.tensor([tokens])).logits[0, -1]
            tokens.append(int(logits.argmax()))
            total += float(logits.double().log_softmax(-1)[tokens[-1]])
            if tokens[-1] == model.config.eos_token_id:
                break
        assert text == processor.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        assert score == pytest.approx(total, rel=1e-4)


def test_a_ctc_model_gives_the_scores_of_characters_and_the_likeliest_path(wav2vec2):
    model = transformers.Wav2Vec2ForCTC.from_pretrained(wav2vec2.parent)
    answers = heard(wav2vec2, CLIPS)
    for row, clip in enumerate(CLIPS):
        sound = clip / np.float32(32768)
        sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
        with torch.no_grad():
            logits = model(torch.from_numpy(sound[None])).logits[0]
        np.testing.assert_allclose(answers["logits"][row], logits.numpy(), atol=1e-4)
        path = [hugging_face.LETTERS[number] for number, _ in itertools.groupby(logits.argmax(-1).tolist())]
        assert answers["text"][row] == "".join(path).replace("<pad>", "").replace("|", " ").strip()
        assert answers["log_score"][row] == pytest.approx(float(logits.log_softmax(-1).amax(-1).sum()), rel=1e-4)


def test_the_answer_is_the_same_again_alone_and_opened_anew(either):
    with Transformers(max_tokens=TOKENS).open(either, "cpu") as runner:
        together = runner.run({"sample": CLIPS})
        assert same(runner.run({"sample": CLIPS}), together)
        for row in range(len(CLIPS)):
            alone = runner.run({"sample": CLIPS[row : row + 1]})
            assert same(alone, {name: values[row : row + 1] for name, values in together.items()})
    assert same(heard(either.parent, CLIPS), together)


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "int8"])
def test_a_lower_precision_answers_nearly_the_same_and_is_noted(either, precision):
    with Transformers(max_tokens=TOKENS, precision=precision).open(either, "cpu") as runner:
        lower = runner.run({"sample": CLIPS})
        assert f"run in {precision}" in runner.notes
    whole = heard(either, CLIPS)
    assert not np.array_equal(lower["log_score"], whole["log_score"])
    np.testing.assert_allclose(lower["log_score"], whole["log_score"], rtol=0.05)


def test_the_decoders_read_what_the_models_give(wav2vec2, whisper):
    outputs = heard(wav2vec2, CLIPS)
    specs = [TensorSpec(name, (None, *rows.shape[1:]), rows.dtype.name) for name, rows in outputs.items()]
    spelt = Ctc(alphabet=hugging_face.LETTERS, separator="|").settle(specs, outputs).decode(outputs)
    written = Text().settle(specs, outputs).decode(outputs)
    assert list(spelt.decisions) == list(written.decisions) == outputs["text"].tolist()
    assert (spelt.log_scores >= written.log_scores).all()  # a sentence is likelier than one of its paths
    outputs = heard(whisper, CLIPS)
    assert (Text().settle([], outputs).decode(outputs).log_scores == outputs["log_score"]).all()


def test_the_notes_are_settings_of_the_decoder(wav2vec2):
    with Transformers().open(wav2vec2, "cpu") as runner:
        letters = json.dumps(list(hugging_face.LETTERS))
        assert runner.notes[1].endswith(f': alphabet = {letters}, blank = 0, separator = "|"')


# --- nothing from elsewhere --------------------------------------------------------------------------------------


def test_nothing_is_asked_of_the_network(either, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(heard(either, CLIPS[:1])["text"]) == 1


def test_pickled_weights_are_refused(whisper, tmp_path):
    for file in Transformers().files(whisper):
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match=r"pickled weights \(\.bin\) are not read"):
        Transformers().open(tmp_path / "config.json", "cpu")


# --- what does not fit -------------------------------------------------------------------------------------------


def test_clips_of_another_rate_are_a_misfit(either):
    with pytest.raises(MisfitError, match="for 16000 Hz, and the clips have 8000 Hz"):
        Transformers(rate_hz=8000).open(either, "cpu")


def test_a_language_that_the_model_knows_not_is_a_misfit(either):
    with pytest.raises(MisfitError, match='knows no language "de"; there is none'):
        Transformers(language="de").open(either, "cpu")


def test_a_longer_clip_than_whisper_hears_is_a_misfit(whisper):
    with pytest.raises(MisfitError, match=r"hears 1 s, and a clip has 1\.25 s"):
        heard(whisper, np.zeros((1, 20000), np.int16))


def test_a_clip_too_short_for_the_first_layers_is_a_misfit(wav2vec2):
    shortest = ((4 - 1) * 4 + 8 - 1) * 5 + 10
    assert heard(wav2vec2, CLIPS[:, :shortest])["logits"].shape[1] == 1
    with pytest.raises(MisfitError, match=f"needs {shortest} samples at least, and a clip has {shortest - 1}"):
        heard(wav2vec2, CLIPS[:, : shortest - 1])


@pytest.mark.parametrize(
    ("told", "why"),
    [("", "0 bytes"), ("{", "no config.json"), ("[]", "no config.json"), ('{"architectures": ["BertModel"]}', "BertM")],
)
def test_a_file_that_is_no_config_of_speech_is_named(whisper, tmp_path, told, why):
    for file in Transformers().files(whisper):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(told)
    with pytest.raises(ModelFileError, match=why) as caught:
        Transformers().open(tmp_path / "config.json", "cpu")
    assert str(tmp_path / "config.json") in caught.value.message


@pytest.mark.parametrize(
    ("lost", "why"),
    [("tokenizer.json", "there is no tokenizer"), ("processor_config.json", "is the directory complete")],
)
def test_a_directory_that_is_not_complete_is_refused(whisper, tmp_path, lost, why):
    for file in Transformers().files(whisper):
        if file.name != lost:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelFileError, match=why):
        Transformers().open(tmp_path / "config.json", "cpu")


def test_damaged_weights_are_refused(whisper, tmp_path):
    for file in Transformers().files(whisper):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelFileError, match="cannot open"):
        Transformers().open(tmp_path / "config.json", "cpu")


def test_a_target_that_is_not_here_says_why(whisper):
    known = {target.name: target for target in Transformers().targets()}
    assert known["cpu"].usable
    assert known["cuda"].usable == torch.cuda.is_available()
    with pytest.raises(TargetUnavailableError, match='has no target "tpu"'):
        Transformers().open(whisper, "tpu")


def test_a_closed_model_refuses(whisper):
    with Transformers().open(whisper, "cpu") as runner:
        pass
    with pytest.raises(RuntimeFailedError, match="has been closed"):
        runner.run({"sample": CLIPS})


def test_the_files_are_those_that_are_read(whisper):
    names = [file.name for file in Transformers().files(whisper)]
    assert names[0] == "config.json"
    assert {"model.safetensors", "tokenizer.json", "generation_config.json"} <= set(names)
    assert json.loads(whisper.read_text())["architectures"] == ["WhisperForConditionalGeneration"]
