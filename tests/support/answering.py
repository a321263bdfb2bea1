"""Functions that are models, good and bad ones."""

import numpy as np


def answer(samples):
    """Prefer the class of the largest of the first three values."""
    return samples.reshape(len(samples), -1)[:, :3].astype(np.float32) / 255


def nearly(samples):
    """As `answer`, in steps of a sixteenth."""
    return np.round(answer(samples) * 16) / 16


def talk(samples):
    print("I see", len(samples))
    return {"scores": answer(samples)}


def fail(samples):
    raise ValueError(f"{len(samples)} are too many")


def misshape(samples):
    return np.zeros((len(samples) + 1, 3))


def shrug(samples):
    return None


NUMBER = 3
