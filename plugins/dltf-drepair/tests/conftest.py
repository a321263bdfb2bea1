"""Rows of a candidate that errs in ways that can be learnt, and where the public models are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen

CLASSES = 6


@frozen(eq=False)
class Rows:
    """What a head is fitted to."""

    states: np.ndarray
    answers: np.ndarray
    groups: np.ndarray

    def fit(self, head, seed=0):
        return head.fit(self.states, self.answers, self.groups, CLASSES, np.random.default_rng(seed))


@pytest.fixture(scope="session")
def rows():
    """Half of the rows far from any boundary, half near one, with the second class right: seeds and findings."""
    stream = np.random.default_rng(3)
    logits = stream.normal(size=(400, CLASSES)) * 3
    order = np.argsort(-logits, axis=1)
    near = np.arange(400) % 2 == 1
    at, first, second = np.arange(400), order[:, 0], order[:, 1]
    gap = logits[at, first] - logits[at, second]
    logits[at, first] += np.where(near, 0.2 * stream.random(400) - gap, 3.0)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    states = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    best = states.argsort(axis=1)[:, ::-1]
    return Rows(states, np.where(near, best[:, 1], best[:, 0]), at // 2)


@pytest.fixture
def data():
    if "DLTF_DATA" not in os.environ:
        pytest.skip("needs the public models: set DLTF_DATA to their folder")
    return Path(os.environ["DLTF_DATA"])
