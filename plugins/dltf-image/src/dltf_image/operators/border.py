"""What is past the border of a picture, where an operator needs to know."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import validators

Border = Literal["reflect", "repeat", "black"]
"""`reflect`: the picture mirrored at its outermost pixels (dcb|abcd|cba); `repeat`: those pixels, on and on."""

known_border = validators.in_(get_args(Border))


def border_code(border: Border) -> int:
    """Return OpenCV's number for it."""
    import cv2

    return {"reflect": cv2.BORDER_REFLECT_101, "repeat": cv2.BORDER_REPLICATE, "black": cv2.BORDER_CONSTANT}[border]
