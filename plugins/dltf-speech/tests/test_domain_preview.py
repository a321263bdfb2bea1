"""What people see and hear of a finding."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from dltf_speech.codec import WavCodec
from dltf_speech.domain import SpeechDomain
from dltf_speech.plot import _marks
from dltf_speech.preview import SpeechPreview

TIME = np.arange(16000) / 16000
SEED = (6000 * np.sin(2 * np.pi * 1000 * TIME)).astype(np.int16)
WAVE, SPECTRUM, EACH = 22, 78, 190  # pixels, from a panel's top; and from one panel to the next


def drawn(seed, mutant, rate_hz=16000):
    picture = Image.open(io.BytesIO(SpeechPreview(rate_hz).render(seed, mutant)))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB")).astype(int)


def bright(picture, panel):
    """Return the brightness of a panel's spectrogram."""
    top = panel * EACH + SPECTRUM
    return picture[top : top + 104, 48:888].sum(axis=2)


def test_a_tone_is_a_line_at_its_pitch_in_seed_and_finding_and_not_in_their_difference():
    mutant = SEED.copy()
    mutant[8000:] = 0
    picture = drawn(SEED, mutant)
    assert picture.shape[1] == 900
    at = 103 - round(1000 / 8000 * 103)
    assert abs(int(bright(picture, 0).mean(axis=1).argmax()) - at) <= 1
    first, second = bright(picture, 1)[at, 100:300].mean(), bright(picture, 1)[at, 500:800].mean()
    assert first > 400
    assert second < 60
    assert bright(picture, 2)[at, 100:300].mean() < 60
    assert bright(picture, 2)[at, 500:800].mean() > 400


def test_a_shorter_clip_ends_earlier_on_the_same_axis():
    picture = drawn(SEED, SEED[:4000])
    spectrum = picture[EACH + SPECTRUM : EACH + SPECTRUM + 104, 48:888]
    paper = (spectrum == 255).all(axis=(0, 2))
    assert np.flatnonzero(paper)[0] == pytest.approx(210, abs=1)


@pytest.mark.parametrize("length", [1, 2, 7, 399, 16001])
@pytest.mark.parametrize("rate_hz", [1000, 8000, 192_000])
def test_clips_of_any_length_and_rate_can_be_drawn(length, rate_hz):
    clip = np.full(length, -32768, np.int16)
    assert drawn(clip, clip[: length // 2 + 1] // 2, rate_hz).shape == (610, 900, 3)


def test_silence_can_be_drawn():
    silence = np.zeros(800, np.int16)
    assert (bright(drawn(silence, silence), 0) < 30).all()


def test_a_preview_is_the_same_each_time():
    assert SpeechPreview().render(SEED, SEED // 2) == SpeechPreview().render(SEED, SEED // 2)


def test_seed_finding_and_difference_are_to_be_heard():
    mutant = SEED.copy()
    mutant[::2] += 30
    beside = SpeechPreview(16000).beside(SEED, mutant)
    assert [(title, suffix) for title, suffix, _ in beside] == [
        ("seed", ".wav"),
        ("finding", ".wav"),
        ("difference, 46 dB louder", ".wav"),  # from 30 steps to 6030: 20 lg 201 = 46.06
    ]
    seed, finding, difference = (WavCodec(16000).decode(data) for _, _, data in beside)
    assert seed.tolist() == SEED.tolist()
    assert finding.tolist() == mutant.tolist()
    assert difference.max() == round(30 * 10 ** (46 / 20))


def test_what_cannot_be_made_louder_says_so():
    def title(seed, mutant):
        return SpeechPreview().beside(np.array(seed, np.int16), np.array(mutant, np.int16))[2][0]

    assert title([5, 6], [5, 6]) == "difference, none"
    assert title([32767, 0], [-32768, 0]) == "difference, 7 dB softer"
    assert title([9000, 0], [0, 0]) == "difference, as it is"
    assert title([0, 0], [1, 0]) == "difference, 60 dB louder"


@pytest.mark.parametrize(
    ("most", "about", "marks"),
    [(8, 4, [0, 2, 4, 6, 8]), (1.9, 8, [0, 0.5, 1, 1.5]), (0.0050, 8, [0, 0.001, 0.002, 0.003, 0.004, 0.005])],
)
def test_axes_are_marked_at_round_numbers(most, about, marks):
    assert _marks(most, about) == marks


def test_the_domain_makes_all_at_its_rate():
    domain = SpeechDomain(8000)
    assert (domain.codec.rate_hz, domain.geometry.rate_hz, domain.preview.rate_hz) == (8000, 8000, 8000)
    assert SpeechDomain() == SpeechDomain(16000)
    assert SpeechDomain().preset == "speech.natural"
    with pytest.raises(ValueError, match="rate_hz"):
        SpeechDomain(100)
