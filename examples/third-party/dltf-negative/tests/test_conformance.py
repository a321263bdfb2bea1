"""Every promise of every component, tested by the kit that ships with dltf."""

import numpy as np

from dltf.testing import Examples, class_observations, conformance


@conformance("dltf_negative.plugin")
def test_conformance(folder):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 8, 9, 3), dtype=np.uint8)
    sure, unsure = [0.9, 0.1], [0.55, 0.45]
    answers = class_observations([sure, unsure]), class_observations([sure[::-1], unsure[::-1]])
    return Examples(samples=[*pictures, pictures[0, :, :, :1]], observations={"confident_label": answers})
