"""PNG and previews: what is written can be read."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from dltf.plugin import SeedError
from dltf_image.domain import ImageDomain
from dltf_image.preview import amplified_difference

DOMAIN = ImageDomain()
PANELS = [((28, 28, 1), (168, 168)), ((8, 8, 3), (160, 160)), ((300, 200, 3), (300, 200))]
DIFFERENCES = [(10, 13, 48), (13, 10, 48), (0, 100, 200), (0, 255, 255), (5, 5, 0)]
SAMPLES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255))
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(SAMPLES)
def test_a_sample_comes_back_from_its_file_bit_for_bit(sample):
    data = DOMAIN.codec.encode(sample)
    back = DOMAIN.codec.decode(data)
    assert (back.dtype, back.shape) == (sample.dtype, sample.shape)
    assert np.array_equal(back, sample)
    assert Image.open(BytesIO(data)).mode == ("L" if sample.shape[2] == 1 else "RGB")


@pytest.mark.parametrize("cut", [0, 4, 40, 1000, -40])
def test_a_broken_file_is_a_seed_error(cut):
    data = DOMAIN.codec.encode(np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8))
    with pytest.raises(SeedError, match="the PNG data"):
        DOMAIN.codec.decode(data[:cut])


def test_another_kind_of_picture_is_a_seed_error():
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "JPEG")
    with pytest.raises(SeedError, match="no picture"):
        DOMAIN.codec.decode(file.getvalue())


@pytest.mark.parametrize(
    ("shape", "panel"), [((28, 28, 1), (168, 168)), ((8, 8, 3), (160, 160)), ((300, 200, 3), (300, 200))]
)
def test_a_preview_has_three_panels_that_can_be_seen(shape, panel):
    sample = np.full(shape, 7, np.uint8)
    shown = DOMAIN.codec.decode(DOMAIN.preview.render(sample, sample))
    assert shown.shape == (panel[0], 3 * panel[1] + 4, shape[2])
    assert (shown[:, : panel[1]] == 7).all()
    assert (shown[:, panel[1] : panel[1] + 2] == 128).all()
    assert (shown[:, -panel[1] :] == 0).all()


@pytest.mark.parametrize(
    ("seed", "mutant", "shown"), [(10, 13, 48), (13, 10, 48), (0, 100, 200), (0, 255, 255), (5, 5, 0)]
)
def test_the_difference_is_amplified_within_white(seed, mutant, shown):
    seeds, mutants = (np.full((1, 1, 1), level, np.uint8) for level in (seed, mutant))
    assert amplified_difference(seeds, mutants).item() == shown
