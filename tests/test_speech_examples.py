"""The examples of speech: a network that is trained, resumed and exported, and keywords that plain LiteRT confirms."""

from __future__ import annotations

import importlib
import json
import math
import signal
import subprocess
import sys
import wave
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from pairs import data

from dltf.campaign import run
from dltf.campaign.export import export
from dltf.host import Host
from dltf.profile import read_profile
from dltf.store import RunFolder, Store

torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
pytest.importorskip("onnx", reason="needs onnx: pip install onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")
pytest.importorskip("dltf_speech", reason="needs the plugin of this repository: pip install -e plugins/dltf-speech")

EXAMPLES = Path(__file__).parents[1] / "examples" / "speech"
PARTS = ("digit_network", "digit_strings", "training_curve", "train")


@pytest.fixture(scope="module")
def example():
    """The modules of the training script, by name."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        modules = {name: importlib.import_module(name) for name in PARTS}
        patch.setattr(modules["train"], "HELD_OUT", 10)
        yield modules
    for name in PARTS:
        del sys.modules[name]
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Ten words, each a chord of its own, as the published folder has them: numbers 0 to 4 are held out."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for digit in range(10):
        for number in (0, 4, 5, 6, 7):
            t = np.arange(int(rng.integers(1600, 2400))) / 8000
            chord = np.sin(2 * np.pi * (200 + 300 * digit) * t) + np.sin(2 * np.pi * (350 + 150 * digit) * t)
            with wave.open(str(folder / f"{digit}_someone_{number}.wav"), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(np.rint(9000 * chord).astype("<i2").tobytes())
    return folder


class After:
    """Ends a training after some steps."""

    def __init__(self, steps):
        self.left = steps

    def __bool__(self):
        self.left -= 1
        return self.left < 0


def trained(example, recordings, folder, *, stop=False, resume=False, every=2, **changed):
    train = example["train"]
    settings = train.Settings(**{"steps": 6, "batch": 4, "channels": 16} | changed)
    return train.train(settings, folder, recordings, resume=resume, every=every, stop=stop)


@pytest.fixture(scope="module")
def whole(example, recordings, tmp_path_factory):
    """A training that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert trained(example, recordings, folder)
    return folder


def checkpoint(folder):
    return torch.load(folder / "training.pt", weights_only=True)


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_resumed_training_ends_as_one_that_was_not_interrupted(example, recordings, whole, tmp_path, steps):
    assert not trained(example, recordings, tmp_path, stop=After(steps))
    assert checkpoint(tmp_path)["step"] == steps
    assert trained(example, recordings, tmp_path, resume=True)
    ours, theirs = checkpoint(tmp_path), checkpoint(whole)
    assert ours["points"] == theirs["points"]
    assert all(torch.equal(ours["network"][name], weights) for name, weights in theirs["network"].items())


def test_a_checkpoint_is_not_resumed_under_other_settings(example, recordings, whole):
    with pytest.raises(SystemExit, match=r"was made with .*'channels': 16.*resume it with these, or remove it"):
        trained(example, recordings, whole, resume=True, channels=8)


def test_a_checkpoint_is_not_overwritten_unasked(example, recordings, whole):
    with pytest.raises(SystemExit, match="there is one: --resume it, or remove it"):
        trained(example, recordings, whole)


def test_nothing_to_resume_is_said(example, recordings, tmp_path):
    with pytest.raises(SystemExit, match="there is none to resume"):
        trained(example, recordings, tmp_path, resume=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_training_between_two_steps(number):
    """In a process of its own: signals of this one belong to whoever runs the tests."""
    program = f"""
import math, signal, sys
sys.path.insert(0, {str(EXAMPLES)!r})
from train import Stop
stop = Stop(math.inf)
assert not stop
signal.raise_signal({int(number)})
print("asked" if stop else "not asked")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "asked\n", done.stderr


def test_time_ends_a_training(example):
    before = {known: signal.getsignal(known) for known in (signal.SIGINT, signal.SIGTERM)}
    stop = example["train"].Stop(0.0)
    for known, handler in before.items():
        signal.signal(known, handler)
    assert stop
    assert not stop.asked


def test_the_network_learns(example, recordings):
    training = example["train"].Training.begin(example["train"].Settings(steps=60, channels=64, peak_rate=0.02))
    clips, texts = example["digit_strings"].Recordings("train", recordings).batch(np.random.default_rng(0), 4)
    [(_, tensors)] = example["digit_strings"].preparation()(clips)
    losses = [training.step(number, torch.from_numpy(tensors["log_mel"]), texts) for number in range(60)]
    assert losses[-1] < losses[0] / 10


@pytest.mark.parametrize(("clips", "frames"), [(1, 30), (3, 57), (2, 400)])
def test_onnx_runtime_gives_what_torch_gives_for_any_batch_and_length(example, whole, clips, frames):
    network = example["digit_network"].DigitNetwork(16)
    network.load_state_dict(checkpoint(whole)["network"])
    log_mel = np.random.default_rng(0).normal(-5, 4, (clips, frames, 40)).astype(np.float32)
    with torch.inference_mode():
        wanted = network.eval()(torch.from_numpy(log_mel)).numpy()
    session = onnxruntime.InferenceSession(whole / "digits.onnx", providers=["CPUExecutionProvider"])
    [given] = session.run(["logits"], {"log_mel": log_mel})
    assert given.shape == (clips, math.ceil(frames / 2), 17)
    np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-5)


def test_the_profile_of_the_trained_network_reads_what_the_training_wrote(example, whole, tmp_path, monkeypatch):
    monkeypatch.setenv("DLTF_DATA", str(tmp_path))
    for name in ("digits-trained.toml", "digits-dynamic.toml"):
        (tmp_path / "examples" / "speech").mkdir(parents=True, exist_ok=True)
        (tmp_path / "examples" / "speech" / name).write_text((EXAMPLES / name).read_text())
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "speech").symlink_to(whole)
    quantised = f'models.candidate.file="{whole / "digits.onnx"}"'
    profile = read_profile(tmp_path / "examples" / "speech" / "digits-trained.toml", Host(), [quantised])
    with profile.reference.backend.open(Path(profile.reference.table.file), "cpu") as runner:
        bound = profile.domain.tensors.bind(runner.inputs, profile.reference.input)
        outputs = {"logits": np.zeros((1, 8, 17), dtype=np.float32)}
        settled = profile.reference.decoder.settle(runner.outputs, outputs)
    told = json.loads((whole / "digits.json").read_text())
    assert bound.settings == told["input"]
    assert settled.alphabet == example["digit_network"].CHARSET


def test_the_curve_has_a_line_for_the_loss_and_each_share(whole):
    root = ET.fromstring((whole / "training.svg").read_text())
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert [line.get("class") for line in lines] == ["line loss", "line strings", "line words"]
    assert {len(line.get("points").split()) for line in lines} == {3}  # after 2, 4 and 6 steps


def test_strings_are_made_of_one_part_of_the_recordings_alone(example, recordings):
    parts = {name: example["digit_strings"].Recordings(name, recordings) for name in ("train", "test")}
    counts = {name: {len(sounds) for sounds in part.words.values()} for name, part in parts.items()}
    assert counts == {"train": {3}, "test": {2}}
    assert list(parts["train"].words) == list(parts["test"].words)


def test_training_strings_are_of_one_length_and_depend_on_their_stream_alone(example, recordings):
    part = example["digit_strings"].Recordings("train", recordings)
    clips, texts = part.batch(np.random.default_rng(5), 7)
    again, same = part.batch(np.random.default_rng(5), 7)
    assert len({clip.shape for clip in clips}) == 1
    assert len({len(text.split()) for text in texts}) == 1
    assert texts == same
    assert all((one == other).all() for one, other in zip(clips, again, strict=True))


def test_letters_are_read_without_repeats_and_blanks(example):
    network = example["digit_network"]
    frames = [network.CHARSET.index(character) for character in "--ssi--xx  - thre-e-"]
    logits = torch.eye(17)[torch.tensor([frames])]
    assert network.read(logits) == ["six three"]
    assert network.encoded("six") == [network.CHARSET.index(letter) for letter in "six"]


def keywords(folder, name, *settings):
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT: pip install ai-edge-litert")
    data()
    host = Host()
    return run(read_profile(EXAMPLES / f"{name}.toml", host, settings), host, RunFolder(folder))


FEW = "seeds.count=60", "search.max_queries=30"


@pytest.mark.parametrize(("name", "settings", "least"), [("keywords-clips", (), 4), ("keywords-digits", FEW, 55)])
def test_keywords_deviate_for_a_program_that_knows_nothing_of_dltf(tmp_path, name, settings, least):
    outcome = keywords(tmp_path / "run", name, *settings)
    found = outcome.summary["findings"]
    assert found >= least
    with Store(outcome.folder, write=False) as store:
        export(store, Host(), tmp_path / "found")
    judge = Path(__file__).parent / "support" / "keywords_without_dltf.py"
    models = data() / "models" / "mlperf_tiny"
    files = [models / file for file in ("kws_ref_model_float32.tflite", "kws_ref_model.tflite")]
    command = [sys.executable, judge, tmp_path / "found" / "manifest.json", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{found} of {found} deviate", done.stderr


def test_keywords_in_clips_of_many_lengths_are_found_as_alone_in_any_batch(tmp_path):
    alone, *others = (
        keywords(tmp_path / str(size), "keywords-digits", *FEW, f"campaign.batch={size}").summary for size in (1, 7, 64)
    )
    assert [other["findings_sha256"] for other in others] == [alone["findings_sha256"]] * 2
    assert [other["unconfirmed"] for other in others] == [0, 0]
