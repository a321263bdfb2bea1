"""`dltf vae train` from a profile to files, and what is written beside."""

from __future__ import annotations

import io
import json
import shutil
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from dltf.cli import cli
from dltf_vae.beside import names_beside
from dltf_vae.checkpoint import checkpoint_of
from dltf_vae.course import Course, Epoch
from dltf_vae.epoch import Losses
from dltf_vae.generator import Vae
from dltf_vae.losses_plot import losses_svg
from dltf_vae.png import png, sheet
from dltf_vae.progress import TrainingProgress
from dltf_vae.training import train_vae

PROFILE = Path(__file__).parents[1] / "profile.toml"
WORDS = ("width=4", "epochs=2", "batch=16", "learning_rate=0.01", "threads=1")
SMALL = [f"generator.train.{word}" for word in WORDS]


@pytest.fixture
def profile(tmp_path, pictures):
    np.savez(tmp_path / "blobs.npz", images=pictures, labels=np.arange(len(pictures)) % 2)
    text = (
        '[campaign]\nname = "blobs"\ndomain = "image"\nseed = 7\n'
        '[seeds]\nuse = "image.npz"\npath = "blobs.npz"\n'
        '[generator]\nuse = "vae"\nfile = "models/blobs.vae.pt"\n'
    )
    (tmp_path / "blobs.toml").write_text(text)
    return tmp_path / "blobs.toml"


def dltf(*arguments):
    settings = [word for setting in SMALL for word in ("--set", setting)]
    return CliRunner().invoke(cli, ["vae", "train", *map(str, arguments), *settings])


def test_a_profile_becomes_an_artefact_and_what_people_look_at(profile):
    done = dltf(profile)
    assert done.exit_code == 0, done.output
    file = profile.parent / "models" / "blobs.vae.pt"
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "blobs.history.json",
        "blobs.losses.svg",
        "blobs.reconstructions.png",
        "blobs.samples.png",
        "blobs.vae.pt",
    ]
    with Vae(file).open() as space:
        assert (space.facts["source"], space.facts["training"]["seed"]) == ("image.npz", 7)
    history = json.loads((file.parent / "blobs.history.json").read_text())
    assert [epoch["number"] for epoch in history] == [1, 2]
    assert {*history[0]["train"]} == {*history[0]["held_out"]} == {"reconstruction", "kl", "loss"}
    assert "epoch 1/2: reconstruction" in done.stderr
    assert f"weights sha256 {space.facts['weights']}" in done.stdout


def test_the_command_trains_what_the_loop_trains(profile, trainings):
    assert dltf(profile).exit_code == 0
    by_hand = train_vae(trainings("by_hand", seed=7, maps=8, batch=16, device="auto"))
    with Vae(profile.parent / "models" / "blobs.vae.pt").open() as space:
        assert space.facts["weights"] == by_hand.artefact.facts["weights"]


def test_quiet_shows_no_progress(profile):
    done = dltf(profile, "--quiet")
    assert done.exit_code == 0
    assert done.stderr == ""


def test_what_was_stopped_goes_on(profile):
    file = profile.parent / "models" / "blobs.vae.pt"
    assert dltf(profile).exit_code == 0
    again = dltf(profile)
    assert "--resume goes on" in str(again.exception)
    shutil.rmtree(file.parent)
    assert dltf(profile, "--resume").exit_code == 0  # there is nothing to go on with, so it begins


def test_a_loss_that_is_no_number_is_a_failure_with_all_written(profile, monkeypatch):
    from dltf_vae import training

    poisoned = training.save_checkpoint

    def poison(state, file):
        poisoned(state, file)
        state.network.encoder[0].weight.data.fill_(float("nan"))

    monkeypatch.setattr(training, "save_checkpoint", poison)
    done = dltf(profile)
    assert "the loss of epoch 2 is no finite number" in str(done.exception)
    assert "holds epoch 1, the best one before" in str(done.exception)
    file = profile.parent / "models" / "blobs.vae.pt"
    assert all(path.exists() for path in [file, *names_beside(file)])
    assert not checkpoint_of(file).exists()


def test_a_generator_that_is_not_trained_here_is_refused(profile):
    text = profile.read_text().replace('use = "vae"\nfile = "models/blobs.vae.pt"', OTHER)
    profile.write_text(text)
    done = CliRunner().invoke(cli, ["vae", "train", str(profile)])
    assert "is OnnxPair, which is not trained here" in str(done.exception)


OTHER = 'use = "latent.onnx"\nencoder = "e.onnx"\ndecoder = "d.onnx"'


def test_the_profile_of_the_readme_trains(data, tmp_path):
    shutil.copy(PROFILE, tmp_path)
    done = dltf(tmp_path / "profile.toml", "--set", "reference.count=300")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "mnist.samples.png").is_file()


def course(*losses):
    told = [Losses(loss, 30.0 + i, loss + 30.0 + i) for i, loss in enumerate(losses)]
    return Course(tuple(Epoch(i, one, one, 20.0) for i, one in enumerate(told, start=1)))


def test_the_plot_has_a_line_for_each_loss_and_part():
    root = ET.fromstring(losses_svg(course(50.0, 40.0, float("nan"))))
    lines = [line.get("points") for line in root.findall(".//{*}polyline") if line.get("stroke-width") == "1.8"]
    assert [len(points.split()) for points in lines] == [2, 2, 3, 3]
    assert ET.fromstring(losses_svg(course(50.0))) is not None


def test_a_sheet_is_a_png_of_its_rows():
    stream = np.random.default_rng(0)
    rows = [stream.integers(0, 256, (count, 5, 4, 3), dtype=np.uint8) for count in (3, 2)]
    whole = sheet(rows)
    assert whole.shape == (2 + 2 * (10 + 2), 2 + 3 * (8 + 2), 3)
    assert np.array_equal(whole[14:24:2, 12:20:2], rows[1][1])
    assert (whole[14:24, 22:30] == 255).all()  # the second row has no third picture
    data = png(whole)
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    lines = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + length]), np.uint8).reshape(len(whole), -1)
    assert np.array_equal(lines[:, 1:].reshape(whole.shape), whole)


def test_progress_is_a_line_for_each_epoch_where_there_is_no_terminal():
    out = io.StringIO()
    with TrainingProgress(50, console=Console(file=out, width=200)) as told:
        told(course())
        told(course(50.0))
        told(course(50.0, 60.0))
    assert out.getvalue().splitlines() == [
        "training for up to 50 epochs",
        "epoch 1/50: reconstruction 50.00 (trained on 50.00) · KL 30.00 (30.00) · "
        "best 80.00 in epoch 1 · at most 16 min left",
        "epoch 2/50: reconstruction 60.00 (trained on 60.00) · KL 31.00 (31.00) · "
        "best 80.00 in epoch 1 · at most 16 min left",
    ]


def test_progress_is_a_bar_on_a_terminal():
    out = io.StringIO()
    with TrainingProgress(2, console=Console(file=out, width=200, force_terminal=True)) as told:
        told(course(50.0))
        told(course(50.0, 40.0))
    assert "2/2" in out.getvalue()
    assert "best 71.00 in epoch 2" in out.getvalue()
