"""Every promise of every component, tested by the kit that ships with dltf."""

import os
from pathlib import Path

import numpy as np

from dltf.plugin import TensorSpec
from dltf.testing import Examples, conformance, observations
from dltf_image.codec import PngCodec

DATA = Path(os.environ.get("DLTF_DATA", "nowhere"))
FILES = {
    "image.mnist": "mnist.npz",
    "image.fashion_mnist": "fashion_mnist.npz",
    "image.cifar10": "cifar-10-binary.tar.gz",
    "image.cifar10_jpeg": "cifar10_jpeg.npz",
}
ABSENT = {
    name: f"{file} is not here: put it into the folder that DLTF_DATA names"
    for name, file in FILES.items()
    if not (DATA / file).is_file()
}


@conformance("image", without=ABSENT)
def test_conformance(folder):
    rng = np.random.default_rng(0)
    shapes = [(28, 28, 1), (28, 28, 1), (8, 8, 1), (32, 32, 3), (32, 32, 3), (17, 40, 3)]
    pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    np.savez(folder / "pictures.npz", x=np.stack(pictures[:2]), y=[3, 7])
    (folder / "pictures").mkdir()
    for number, picture in enumerate(pictures):
        (folder / "pictures" / f"{number}.png").write_bytes(PngCodec().encode(picture))
    boxes = rng.random((4, 40, 7), dtype=np.float32) * np.float32([1, 1, 0.3, 0.3, 1, 1, 1])
    one, moved = (1, 0.1, 0.1, 0.3, 0.3, 0.9), (1, 0.2, 0.1, 0.4, 0.3, 0.9)
    return Examples(
        samples=pictures,
        inputs=[TensorSpec("grey", (None, 28, 28, 1), "float32"), TensorSpec("rgb", (None, 3, 32, 32), "float32")],
        settings={"image.folder": {"path": folder / "pictures"}, "image.npz": {"path": folder / "pictures.npz"}},
        outputs={"detections": [{"boxes": boxes}]},
        observations={"matched_boxes": (observations([(one,), (one,), ()]), observations([(moved,), (one,), (one,)]))},
    )
