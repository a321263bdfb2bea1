"""The host's own components keep the promises that everyone's have to keep."""

from pathlib import Path

import answering
import numpy as np

from dltf.testing import Examples, ModelExample, conformance
from dltf.values import digest_of


@conformance("dltf")
def test_conformance(folder):
    logits = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    samples = np.arange(24, dtype=np.uint8).reshape(6, 4)
    recorded = folder / "recorded.npz"
    np.savez(recorded, sha256=[digest_of(sample) for sample in samples], scores=logits)
    return Examples(
        settings={"python": {"python": "answering:answer", "path": Path(answering.__file__).parent}},
        models={
            "python": [ModelExample(Path(), {"sample": samples})],
            "recorded": [ModelExample(recorded, {"sample": samples})],
        },
        outputs={"classes": [{"scores": logits}], "regression": [{"values": logits}]},
    )
