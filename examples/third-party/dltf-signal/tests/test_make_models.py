"""The two networks of the profile: each works, and they differ where a search looks."""

import sys
from pathlib import Path

import numpy as np
import pytest
from dltf_signal.edits import Edits
from dltf_signal.operators import Gain, Noise
from dltf_signal.tones import Tones
from dltf_signal.waves import Waves

from dltf.testing import stream

onnxruntime = pytest.importorskip("onnxruntime", reason="install it: pip install dltf-onnxruntime")
pytest.importorskip("onnx", reason="install it: pip install onnx")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = str(Path(__file__).parents[1])
    sys.path.insert(0, folder)
    from make_models import make_models

    sys.path.remove(folder)
    sessions = [onnxruntime.InferenceSession(str(file)) for file in make_models(tmp_path_factory.mktemp("models"))]
    decoder = Tones(output="scores")

    def answer(signals):
        batch = np.stack(signals)[:, None, :]
        return [decoder.decode({"scores": session.run(None, {"signal": batch})[0]}) for session in sessions]

    return answer


def test_the_reference_hears_the_tones_of_most_seeds(answers):
    seeds = [Waves(count=100).open()[index] for index in range(100)]
    right = [answers([seed.sample])[0].decisions[0] == seed.label for seed in seeds]
    assert np.mean(right) > 0.5


def test_rounding_the_weights_hardly_shows_on_the_seeds(answers):
    seeds = [Waves(count=100).open()[index].sample for index in range(100)]
    natural = [Edits().judge(*answers([seed])).deviates[0] for seed in seeds]
    assert np.mean(natural) < 0.3


def test_a_hundred_random_mutants_show_a_deviation_on_most_seeds(answers):
    seeds = Waves(count=40).open()
    found = 0
    for case in range(40):
        streams, batch = [stream(case=case)], seeds[case].sample[None]
        mutants = [
            operator.apply(batch, operator.draw(batch, streams), np.ones(1))[0] for operator in [Noise(), Gain()] * 50
        ]
        found += Edits().judge(*answers(mutants)).deviates.any()
    assert found > 30
