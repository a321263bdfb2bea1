"""The digits that come with scikit-learn: no download."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from attrs import field, frozen

from dltf_image.seeds.arrays import ArraySeeds, with_channels
from dltf_image.seeds.split import Split, known_split

_TRAIN = 1437  # of 1797: four fifths


@frozen
class Digits:
    """Handwritten digits, 8×8 grey (Alpaydin and Kaynak, 1998); labels 0 … 9.

    The set has no split of its own: the first 1437 pictures are "train" and the last 360 "test", in the file's order,
    so that most test digits are by other hands. Its values 0 … 16 are scaled to 0 … 255 and rounded.
    """

    split: Split = field(default="test", validator=known_split)

    def open(self) -> ArraySeeds:
        import sklearn
        from sklearn.datasets import load_digits

        data: Any = load_digits()
        images = np.rint(data.images * (255 / 16)).astype(np.uint8)
        part = slice(_TRAIN) if self.split == "train" else slice(_TRAIN, None)
        source = {
            "package": f"scikit-learn {sklearn.__version__}",
            "sha256": hashlib.sha256(images.tobytes()).hexdigest(),
            "sha256_of": "all pictures, scaled, as uint8 [1797, 8, 8]",
            "url": "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            "licence": "CC BY 4.0",
            "split": self.split,
        }
        return ArraySeeds(source, f"digits/{self.split}", with_channels(images[part]), data.target[part])
