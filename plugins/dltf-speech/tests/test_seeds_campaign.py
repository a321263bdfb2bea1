"""A folder of sounds as one finds it, in a campaign: what is no clip is skipped, counted and named."""

from __future__ import annotations

import io
import wave

import numpy as np
import soundfile
from calling import call, summary_of

RATE = 8000
PROFILE = """
[campaign]
name = "loud"
domain = "speech"

[domain]
rate_hz = 8000

[seeds]
use = "speech.folder"
path = "clips"

[models.reference]
python = "models:exact"

[models.candidate]
python = "models:coarse"

[[operators]]
use = "speech.gain"

[search]
use = "random"
max_queries = 20
"""
MODELS = '''
import numpy as np

def exact(clips):
    """Tell soft from loud."""
    loud = np.clip(np.abs(clips.astype(float)).mean(axis=1) / 4000, 0.01, 0.99)
    return np.stack([1 - loud, loud], axis=1)

def coarse(clips):
    """The same, of clips in 4 bits."""
    return exact(clips // 4096 * 4096)
'''


def tone(level, rate_hz=RATE, length_s=0.5):
    time = np.arange(round(rate_hz * length_s)) / rate_hz
    return (level * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


def put_broken(folder):
    """Write files that are no clips, and return their names."""
    file = io.BytesIO()
    soundfile.write(file, tone(3000), RATE, format="WAV")
    whole = file.getvalue()
    contents = {"zero.wav": b"", "half.wav": whole[:3000], "text.flac": b"no sound\n" * 99, "none.wav": whole[:44]}
    contents["none.wav"] = whole[:40] + bytes(4)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    broken = np.full(400, np.nan)
    soundfile.write(folder / "nan.wav", broken, RATE, subtype="FLOAT")
    return {*contents, "nan.wav"}


def put_odd(folder):
    """Write sounds that have to be converted, or that are odd, and return their names."""
    soundfile.write(folder / "stereo.wav", np.stack([tone(9000)] * 2, axis=1), RATE)
    for subtype in ("PCM_U8", "PCM_24", "FLOAT"):
        soundfile.write(folder / f"{subtype}.wav", tone(9000), RATE, subtype=subtype)
    soundfile.write(folder / "fast.wav", tone(9000, 44100), 44100)
    soundfile.write(folder / "silent.wav", np.zeros(4000, np.int16), RATE)
    soundfile.write(folder / "clipped.wav", np.clip(tone(9000) * 9.0, -32768, 32767).astype(np.int16), RATE)
    soundfile.write(folder / "a.mp3", tone(9000), RATE)
    (folder / "a.mp3").rename(folder / "misnamed.wav")
    odd = ("stereo", "PCM_U8", "PCM_24", "FLOAT", "fast", "silent", "clipped", "misnamed")
    return {f"{name}.wav" for name in odd}


def test_broken_sounds_are_skipped_counted_and_named_and_odd_ones_are_seeds(tmp_path):
    (tmp_path / "profile.toml").write_text(PROFILE)
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "clips").mkdir()
    broken, odd = put_broken(tmp_path / "clips"), put_odd(tmp_path / "clips")
    told = call("run", "profile.toml", "--out", "run", cwd=tmp_path)
    assert told.status == 0, told
    summary = summary_of(tmp_path / "run")
    assert summary["skipped"] == len(broken)
    assert {reason.partition(":")[0] for reason in summary["skipped_because"]} == broken
    assert summary["screened"]["seeds"] == len(odd)
    assert {row["value"] for row in summary["slices"]["level"]} == {"silent", "clipped", "fine"}
    assert {row["value"] for row in summary["slices"]["file_rate_hz"]} == {8000, 44100}
    assert summary["findings"] > 0
    assert summary["distance_snr_db"]["unit"] == "dB"
    report = (tmp_path / "run" / "report.html").read_text()
    assert "converted_to_16_bits" in report
    with wave.open(io.BytesIO(_exported(tmp_path))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)


def _exported(folder):
    told = call("export", "run", "found", cwd=folder)
    assert told.status == 0, told
    return sorted((folder / "found").rglob("*.wav"))[0].read_bytes()
