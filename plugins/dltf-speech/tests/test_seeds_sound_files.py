"""Sound files as one finds them: what becomes of each kind, and what is said of those that are none."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile

from dltf.plugin import SeedError, SeedSourceError
from dltf_speech.seeds.folder import Folder

RATE = 16000
TIME = np.arange(RATE // 2) / RATE
TONE = (8000 * np.sin(2 * np.pi * 440 * TIME)).astype(np.int16)


@pytest.fixture
def written(tmp_path):
    """Write one sound file, and return the folder's seeds at 16 kHz."""

    def write(name, values, rate_hz=RATE, **how):
        soundfile.write(tmp_path / name, values, rate_hz, **how)
        return Folder(tmp_path).open()

    return write


@pytest.mark.parametrize(
    ("name", "how"),
    [("a.wav", {}), ("a.flac", {}), ("a.wav", {"subtype": "PCM_24"}), ("a.wav", {"subtype": "PCM_32"})],
)
def test_16_bits_come_through_bit_for_bit(written, name, how):
    values = TONE if not how else TONE.astype(np.int32) << 16
    seed = written(name, values, **how)[0]
    assert seed.sample.dtype == np.int16
    assert seed.sample.tolist() == TONE.tolist()
    assert seed.name == name


def test_floats_are_rounded_to_16_bits(written):
    seeds = written("a.wav", TONE / 32768 + 0.3 / 32768, subtype="FLOAT")
    assert seeds[0].sample.tolist() == TONE.tolist()
    assert seeds.source["headers"]["converted_to_16_bits"] == 1


def test_floats_beyond_full_scale_are_clipped_and_said(written):
    seed = written("a.wav", 2.0 * TONE / 8000, subtype="FLOAT")[0]
    assert (seed.sample.max(), seed.sample.min()) == (32767, -32768)
    assert seed.columns["level"] == "clipped"


def test_8_bits_are_within_half_a_step_of_theirs(written):
    seed = written("a.wav", TONE / 32768, subtype="PCM_U8")[0]
    assert np.abs(seed.sample.astype(int) - TONE).max() <= 256
    assert seed.columns["file_encoding"] == "WAV PCM_U8"


def test_stereo_is_mixed_down_and_said(written):
    seeds = written("a.wav", np.stack([TONE, TONE // 2], axis=1))
    assert seeds[0].sample.tolist() == np.rint((TONE + TONE // 2) / 2).tolist()
    assert seeds[0].columns["file_channels"] == 2
    assert seeds.source["headers"]["mixed_down"] == 1


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
def test_another_rate_is_resampled_and_said(written, rate_hz):
    time = np.arange(rate_hz // 2) / rate_hz
    seeds = written("a.wav", (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16), rate_hz)
    seed = seeds[0]
    assert seed.columns["file_rate_hz"] == rate_hz
    assert seeds.source["headers"]["resampled"] == 1
    assert seeds.source["headers"]["rates_hz"] == {str(rate_hz): 1}
    assert len(seed.sample) == len(TONE)
    inner = slice(1000, -1000)  # a filter rings at the ends
    assert np.abs(seed.sample.astype(int) - TONE)[inner].max() < 20


def test_resampling_may_be_refused(written, tmp_path):
    written("a.wav", TONE, 8000)
    seeds = Folder(tmp_path, resample=False).open()
    assert seeds.source["headers"]["of_another_rate"] == 1
    with pytest.raises(SeedError, match="recorded at 8000 Hz, and the campaign's clips are of 16000 Hz") as error:
        seeds[0]
    assert "rate_hz = 8000" in error.value.hint


def test_lossy_files_are_read_with_their_length(written):
    for name in ("a.mp3", "a.ogg"):
        seeds = written(name, TONE)
        seed = seeds[len(seeds) - 1]
        assert len(seed.sample) == len(TONE)
        assert np.corrcoef(seed.sample, TONE)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (np.zeros(800, np.int16), "silent"),
        (np.clip(TONE.astype(int) * 8, -32768, 32767).astype(np.int16), "clipped"),
        (TONE, "fine"),
        (np.array([32767, 0, 32767, 32767, -32768], np.int16), "fine"),
    ],
)
def test_silent_and_clipped_clips_are_taken_and_said(written, values, level):
    seed = written("a.wav", values)[0]
    assert seed.sample.tolist() == values.tolist()
    assert seed.columns["level"] == level


def test_a_file_is_known_by_its_content_not_by_its_name(written, tmp_path):
    written("a.mp3", TONE)
    shutil.move(tmp_path / "a.mp3", tmp_path / "b.wav")
    written("c.flac", TONE)
    shutil.move(tmp_path / "c.flac", tmp_path / "d.mp3")
    seeds = Folder(tmp_path).open()
    assert [seed.columns["file_encoding"] for seed in seeds] == ["MP3 MPEG_LAYER_III", "FLAC PCM_16"]
    assert seeds[1].sample.tolist() == TONE.tolist()


def cut(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_truncated_file_is_never_taken_for_a_shorter_clip(written, tmp_path, name, share):
    rng = np.random.default_rng(0)
    written(name, rng.normal(0, 3000, 40_000).astype(np.int16))
    cut(tmp_path / name, share)
    with pytest.raises(SeedError, match=rf"{name}: (truncated|this cannot be read as a sound file)"):
        Folder(tmp_path).open()[0]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.wav", b"", "a.wav: the file is empty"),
        ("a.wav", b"hello" * 100, "a.wav: this cannot be read as a sound file"),
        ("a.flac", b"\x89PNG\r\n\x1a\n" + bytes(500), "a.flac: this cannot be read as a sound file"),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", "a.wav: this cannot be read as a sound file"),
    ],
)
def test_what_is_no_sound_file_is_a_seed_error(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    seeds = Folder(tmp_path).open()
    assert seeds.source["headers"]["unreadable"] == 1
    with pytest.raises(SeedError, match=told) as error:
        seeds[0]
    assert error.value.hint


def test_a_clip_without_length_is_a_seed_error(written):
    seeds = written("a.wav", TONE[:0])
    with pytest.raises(SeedError, match="its length is 0"):
        seeds[0]


def test_values_that_are_no_numbers_are_a_seed_error(written):
    values = TONE / 32768
    values[5] = np.nan
    seeds = written("a.wav", values, subtype="FLOAT")
    with pytest.raises(SeedError, match="NaN or infinite"):
        seeds[0]


def test_one_bad_file_leaves_the_others_to_be_read(written, tmp_path):
    (tmp_path / "b.wav").write_bytes(b"nothing")
    seeds = written("a.wav", TONE)
    assert len(seeds) == 2
    assert seeds[0].sample.tolist() == TONE.tolist()


def test_a_folder_without_sounds_says_what_would_do(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(SeedSourceError, match="there are no sound files") as error:
        Folder(tmp_path).open()
    assert ".flac" in error.value.hint
