"""Every promise of every component, tested by the kit that ships with dltf."""

import numpy as np
from dltf_signal.waves import Waves

from dltf.plugin import TensorSpec
from dltf.testing import Examples, conformance, observations


@conformance("dltf_signal.plugin")
def test_conformance(folder):
    waves = Waves(count=12).open()
    return Examples(
        samples=[waves[index].sample for index in range(12)],
        inputs=[TensorSpec("signal", (None, None, 1), "float32"), TensorSpec("signal", (None, 1, 96), "float32")],
        outputs={"signal.tones": [{"scores": np.random.default_rng(0).normal(size=(4, 7, 3)).astype(np.float32)}]},
        observations={"signal.edits": (observations([(1, 2), (1,), ()]), observations([(1, 2), (2, 1), ()]))},
    )
