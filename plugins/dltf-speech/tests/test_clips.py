"""WAV files of clips: what goes in comes back, and nothing else is taken for one."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf.plugin import SeedError
from dltf_speech.codec import WavCodec

SOME = settings(deadline=None, derandomize=True, max_examples=60)

CODEC = WavCodec(8000)
TONE = (8000 * np.sin(np.arange(800) * 0.1)).astype(np.int16)


def wav(values, rate_hz=8000, **how) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, values, rate_hz, format="WAV", **how)
    return file.getvalue()


@SOME
@given(arrays(np.int16, st.integers(1, 50)), st.sampled_from([1000, 8000, 16000, 44100, 192_000]))
def test_every_clip_comes_back_bit_for_bit(clip, rate_hz):
    codec = WavCodec(rate_hz)
    data = codec.encode(clip)
    back = codec.decode(data)
    assert back.dtype == np.int16
    assert back.tobytes() == clip.tobytes()
    assert codec.encode(back) == data


def test_other_programs_read_the_file_as_it_is_meant():
    with wave.open(io.BytesIO(CODEC.encode(TONE))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.readframes(10_000) == TONE.tobytes()
    values, rate_hz = soundfile.read(io.BytesIO(CODEC.encode(TONE)), dtype="int16")
    assert (values.tolist(), rate_hz) == (TONE.tolist(), 8000)


def test_files_of_other_programs_are_read_with_all_that_is_in_them():
    assert CODEC.decode(wav(TONE)).tolist() == TONE.tolist()
    extensible = io.BytesIO()
    soundfile.write(extensible, TONE, 8000, format="WAVEX", subtype="PCM_16")
    assert CODEC.decode(extensible.getvalue()).tolist() == TONE.tolist()
    plain = CODEC.encode(TONE)
    note = b"LIST" + struct.pack("<I", 5) + b"hello\0"  # an odd length is filled up
    assert CODEC.decode(plain[:12] + note + plain[12:] + note).tolist() == TONE.tolist()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "these 0 bytes are no WAV file"),
        (b"fLaC" + bytes(100), "no WAV file"),
        (CODEC.encode(TONE)[:40], "no WAV file"),
        (CODEC.encode(TONE[:0]), "their length is 0"),
        (CODEC.encode(TONE)[:-7], "truncated: the header states 1600 bytes of sound, and 1593 are there"),
        (WavCodec(16000).encode(TONE), "recorded at 16000 Hz, and the campaign's clips at 8000 Hz"),
        (wav(np.stack([TONE, TONE], axis=1)), "2 channels of 16 bits"),
        (wav(TONE, subtype="PCM_U8"), "1 channels of 8 bits"),
        (wav(TONE, subtype="PCM_24"), "of 24 bits"),
        (wav(TONE / 32768, subtype="FLOAT"), "format 3"),
    ],
)
def test_what_is_no_clip_of_this_campaign_is_a_seed_error_that_says_why(data, told):
    with pytest.raises(SeedError) as error:
        CODEC.decode(data)
    assert told in error.value.message
    assert error.value.hint


def test_another_rate_names_its_cure():
    with pytest.raises(SeedError) as error:
        CODEC.decode(WavCodec(16000).encode(TONE))
    assert "rate_hz = 16000 in [domain]" in error.value.hint


@pytest.mark.parametrize("rate", [0, 999, 192_001, 16000.0])
def test_a_rate_that_no_clip_has_is_refused(rate):
    with pytest.raises((ValueError, TypeError), match="rate_hz"):
        WavCodec(rate)
