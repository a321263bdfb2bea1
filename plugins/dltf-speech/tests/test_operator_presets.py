"""DFlare's four operators, and natural changes."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import soundfile

from dltf_speech.operators.gain import Gain
from dltf_speech.operators.pitch_shift import PitchShift
from dltf_speech.operators.time_shift import TimeShift
from dltf_speech.operators.time_stretch import TimeStretch
from dltf_speech.plugin import dltf_mutation_operators
from dltf_speech.presets import DflareSpeech, Natural


def test_dflare_has_the_papers_four_with_the_ranges_of_audiomentations():
    from audiomentations import Gain as TheirGain
    from audiomentations import PitchShift as TheirPitchShift
    from audiomentations import Shift
    from audiomentations import TimeStretch as TheirTimeStretch

    operators = DflareSpeech().operators()
    assert operators == {
        "speech.time_stretch": TimeStretch(),
        "speech.pitch_shift": PitchShift(),
        "speech.time_shift": TimeShift(),
        "speech.gain": Gain(),
    }
    stretch, pitch, shift, gain = operators.values()
    assert (stretch.min_rate, stretch.max_rate) == (TheirTimeStretch().min_rate, TheirTimeStretch().max_rate)
    assert (pitch.min_semitones, pitch.max_semitones) == (
        TheirPitchShift().min_semitones,
        TheirPitchShift().max_semitones,
    )
    assert (shift.min_shift, shift.max_shift, shift.rollover) == (Shift().min_shift, Shift().max_shift, True)
    assert shift.fade_ms == 1000 * Shift().fade_duration
    assert (gain.min_gain_db, gain.max_gain_db) == (TheirGain().min_gain_db, TheirGain().max_gain_db)


def test_names_are_those_on_the_shelf_and_background_noise_comes_with_a_folder(tmp_path):
    soundfile.write(tmp_path / "hum.wav", np.full(100, 0.1), 16000)
    shelf = {component.name for component in dltf_mutation_operators()}
    natural, noisy = Natural().operators(), Natural(background=tmp_path).operators()
    assert set(noisy) - set(natural) == {"speech.background_noise"}
    assert shelf - set(noisy) == {"speech.time_shift"}
    assert set(noisy) <= shelf
    assert set(DflareSpeech().operators()) <= shelf


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_a_preset_hands_its_rate_to_its_operators(rate_hz):
    for preset in (DflareSpeech(rate_hz=rate_hz), Natural(rate_hz=rate_hz)):
        rates = [operator.rate_hz for operator in preset.operators().values() if hasattr(operator, "rate_hz")]
        assert rates
        assert set(rates) == {rate_hz}


def test_a_component_without_settings_is_complete_but_for_a_folder():
    for operator in Natural().operators().values():
        assert all(field.default is not attrs.NOTHING for field in attrs.fields(type(operator)))


def test_a_rate_or_a_folder_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"one of 8000, .*speech\.dflare.*: 10000"):
        Natural(rate_hz=10000)
    with pytest.raises(ValueError, match="'background' must be a folder of recordings, and there is none"):
        Natural(background=tmp_path / "nowhere")
