"""Noise: the ratio measured is the ratio drawn; recordings are cut, repeated, resampled, and missed out loud."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from dltf_speech.operators import recordings
from dltf_speech.operators.background_noise import BackgroundNoise
from dltf_speech.operators.gaussian_noise import GaussianNoise

ONE = np.ones(1)


def speech_like(rows=1, length=16000, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0, 3000, (rows, length)), -9000, 9000).astype(np.int16)


def streams(count):
    return [np.random.default_rng(case) for case in range(count)]


def snr_db(clip, mutant):
    signal, noise = clip.astype(np.float64), mutant.astype(np.float64) - clip
    return 10 * np.log10(np.square(signal).mean() / np.square(noise).mean())


def recording(folder, name, values, rate_hz=16000):
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / name, np.asarray(values, dtype=np.float32), rate_hz, subtype="FLOAT")
    return folder


@pytest.fixture
def hiss(tmp_path):
    return recording(tmp_path / "noises", "hiss.wav", np.random.default_rng(1).normal(0, 0.1, 40000))


@pytest.mark.parametrize("kind", ["gaussian", "background"])
def test_the_ratio_measured_is_the_ratio_drawn(kind, hiss):
    operator = GaussianNoise() if kind == "gaussian" else BackgroundNoise(hiss)
    batch = speech_like(8)
    draws = operator.draw(batch, streams(8))
    mutants = operator.apply(batch, draws, np.ones(8))
    measured = [snr_db(clip, mutant) for clip, mutant in zip(batch, mutants, strict=True)]
    assert measured == pytest.approx(draws["snr_db"].tolist(), abs=0.1)


@pytest.mark.parametrize("length", [1, 2, 5, 50])
def test_the_ratio_holds_on_short_clips(length):
    batch = np.full((1, length), 10000, np.int16)
    operator = GaussianNoise()
    mutant = operator.apply(batch, operator.draw(batch, streams(1)) | {"snr_db": np.array([20.0])}, ONE)
    assert snr_db(batch[0], mutant[0]) == pytest.approx(20, abs=0.1)


def test_strength_scales_the_amplitude_of_one_pattern():
    batch = np.full((4, 3), 1000, np.int16)
    draws = {"noise": np.tile(np.float32([1, -1, 1]), (4, 1)), "snr_db": np.full(4, 20.0)}
    mutants = GaussianNoise().apply(batch, draws, np.array([0.0, 0.25, 0.5, 1.0]))
    assert mutants.tolist() == [[1000] * 3, [1025, 975, 1025], [1050, 950, 1050], [1100, 900, 1100]]
    amounts, unit = GaussianNoise().amounts(draws, np.array([0.0, 0.25, 0.5, 1.0]))
    assert (amounts.tolist(), unit) == (pytest.approx([0, 2.5, 5, 10]), "%")


def test_noise_saturates():
    batch = np.array([[32767, -32768]], np.int16)
    draws = {"noise": np.float32([[1, -1]]), "snr_db": np.array([0.0])}
    assert GaussianNoise().apply(batch, draws, ONE).tolist() == [[32767, -32768]]


def test_a_longer_recording_is_cut_and_a_shorter_one_repeated(tmp_path):
    batch = np.full((1, 4), 1000, np.int16)
    ramp = recording(tmp_path / "ramp", "a.wav", np.arange(1, 9) / 16)
    draws = {"snr_db": np.array([0.0]), "file": np.array([0]), "begin": np.array([0.5])}  # the third of 5 places
    part = np.arange(3, 7)
    expected = 1000 + np.rint(1000 * part / np.sqrt(np.mean(part**2)))
    assert BackgroundNoise(ramp).apply(batch, draws, ONE)[0].tolist() == expected.tolist()
    short = recording(tmp_path / "short", "a.wav", [0.1, 0.2, 0.3])
    draws["begin"] = np.array([0.4])  # the second of 3 places
    part = np.array([2, 3, 1, 2])
    expected = 1000 + np.rint(1000 * part / np.sqrt(np.mean(part**2)))
    assert BackgroundNoise(short).apply(batch, draws, ONE)[0].tolist() == expected.tolist()


def test_recordings_are_resampled_and_their_channels_averaged(tmp_path):
    left = np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    folder = recording(tmp_path / "noises", "stereo.wav", np.stack([left, np.zeros(44100)], axis=1), 44100)
    read = recordings.read(folder / "stereo.wav", 16000)
    assert (read.dtype, read.shape) == (np.int16, (16000,))
    expected = 16384 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    assert np.abs(read - expected)[100:-100].max() < 30
    assert recordings.read(folder / "stereo.wav", 16000) is read  # once
    with pytest.raises(ValueError, match="read-only"):
        read[0] = 1


def test_every_recording_is_drawn(tmp_path):
    folder = tmp_path / "noises"
    for name in ("b.flac", "a.wav"):
        soundfile.write(recording(folder, "c.wav", [0.1]) / name, np.full(10, 0.1), 16000)
    (folder / "deep").mkdir()
    soundfile.write(folder / "deep" / "d.ogg", np.random.default_rng(0).normal(0, 0.1, 4000), 16000)
    (folder / ".hidden.wav").write_bytes(b"")
    (folder / "notes.txt").write_text("none of these")
    operator = BackgroundNoise(folder)
    names = [file.name for file in recordings.known_files(folder)]
    assert names == ["a.wav", "b.flac", "c.wav", "d.ogg"]
    assert set(operator.draw(speech_like(100, 10), streams(100))["file"].tolist()) == {0, 1, 2, 3}


def test_what_was_read_longest_ago_makes_room(tmp_path):
    folder = tmp_path / "noises"
    for name in "abc":
        recording(folder, f"{name}.wav", np.full(100, 0.1))
    shelf = recordings._Shelf(room=2 * 200)
    a, b = shelf.get(folder / "a.wav", 16000), shelf.get(folder / "b.wav", 16000)
    assert shelf.get(folder / "a.wav", 16000) is a
    shelf.get(folder / "c.wav", 16000)
    assert shelf.get(folder / "a.wav", 16000) is a
    assert shelf.get(folder / "b.wav", 16000) is not b


@pytest.mark.parametrize("silent", ["clip", "recording"])
def test_silence_has_no_ratio_and_nothing_changes(silent, tmp_path, hiss):
    folder = hiss if silent == "clip" else recording(tmp_path / "still", "a.wav", np.zeros(50))
    batch = np.zeros((1, 400), np.int16) if silent == "clip" else speech_like(1, 400)
    operator = BackgroundNoise(folder)
    assert (operator.apply(batch, operator.draw(batch, streams(1)), ONE) == batch).all()


def test_a_folder_without_recordings_is_refused_with_its_name(tmp_path, hiss):
    with pytest.raises(ValueError, match=r"'path' must be a folder of recordings, and there is none: .*nowhere"):
        BackgroundNoise(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"and this is a file: .*hiss\.wav"):
        BackgroundNoise(hiss / "hiss.wav")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"must hold recordings \(\.aif .*and has none: .*empty"):
        BackgroundNoise(tmp_path / "empty")


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda file: file.write_bytes(b"no sound at all"), "cannot be read"),
        (lambda file: soundfile.write(file, np.zeros(0), 16000), "length is 0"),
        (lambda file: soundfile.write(file, [0.1, np.nan], 16000, subtype="FLOAT"), "NaN or infinite"),
    ],
)
def test_a_recording_that_cannot_be_used_is_named(write, told, tmp_path):
    (tmp_path / "noises").mkdir()
    write(tmp_path / "noises" / "bad.wav")
    operator = BackgroundNoise(tmp_path / "noises")
    batch = speech_like(1, 100)
    draws = operator.draw(batch, streams(1))
    with pytest.raises(recordings.RecordingError, match=rf"bad\.wav: .*{told}[^\n]*\n  mend it, or take it out"):
        operator.apply(batch, draws, ONE)


def test_a_folder_that_was_emptied_later_is_named(tmp_path):
    folder = recording(tmp_path / "noises", "a.wav", [0.1])
    operator = BackgroundNoise(folder)
    (folder / "a.wav").unlink()
    with pytest.raises(recordings.RecordingError, match=r"there are no recordings in .*noises"):
        operator.draw(speech_like(1, 100), streams(1))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"min_snr_db": 50.0}, "must not be below min_snr_db, 50.0"),
        ({"max_snr_db": 100.0}, "-40 to 96"),
        ({"min_snr_db": float("nan")}, "min_snr_db"),
    ],
)
def test_impossible_ratios_are_refused(settings, told, hiss):
    with pytest.raises(ValueError, match=told):
        GaussianNoise(**settings)
    with pytest.raises(ValueError, match=told):
        BackgroundNoise(hiss, **settings)
