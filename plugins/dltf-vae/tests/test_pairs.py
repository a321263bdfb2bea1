"""Two halves that were made elsewhere, put together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dltf.plugin import ModelFileError
from dltf_vae.onnx_pair import OnnxPair
from dltf_vae.pair import Ends, open_pair
from dltf_vae.torch_pair import TorchPair


def halves(takes=(None, 1, 4, 4), decodes=(None, 2, 2)):
    """Codes are the means of the quarters; a quarter is its code again."""

    def encode(x):
        return x.reshape(-1, 2, 2, 2, 2).mean(axis=(2, 4))

    def decode(z):
        return z.repeat(2, axis=1).repeat(2, axis=2)[:, None]

    return Ends(encode, takes, decode, decodes)


def test_values_go_through_the_range_that_is_told():
    quarters = np.zeros((1, 4, 4, 1), np.uint8)
    quarters[0, :2, :2], quarters[0, 2:, 2:] = 255, 51
    for limits, codes in (((-1.0, 1.0), [1.0, -1.0, -1.0, -0.6]), ((0.0, 1.0), [1.0, 0.0, 0.0, 0.2])):
        with open_pair(halves(), limits, "nchw", (), {}) as space:
            assert space.encode(quarters)[0].tolist() == pytest.approx(codes, abs=1e-6)
            assert np.array_equal(space.decode(space.encode(quarters)), quarters)


def test_a_fixed_batch_is_filled_up():
    ends = halves(takes=(3, 1, 4, 4))
    pictures = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 1), dtype=np.uint8)
    with open_pair(ends, (0.0, 1.0), "nchw", (), {}) as space:
        assert space.encode(pictures).shape == (7, 4)


def test_facts_and_inactive_dimensions():
    with open_pair(halves(), (0.0, 1.0), "nchw", (1, 3), {"weights": "abc"}) as space:
        assert space.active.tolist() == [True, False, True, False]
        assert (space.facts["latent"], space.facts["active"], space.facts["weights"]) == (4, 2, "abc")
        assert not hasattr(space, "spread")


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (halves(decodes=(None, 2)), r"gives codes of 4 numbers, and the decoder takes 2"),
        (halves(takes=(None, 1, None, 4)), r"\[\?×1×\?×4\], which are no pictures of one size"),
        (halves(takes=(None, 2, 4, 4)), r"no pictures of one size"),
        (halves(decodes=(None, None)), r"the length of a code is open"),
        (halves(takes=(2, 1, 4, 4), decodes=(3, 2, 2)), r"takes batches of 2, the decoder of 3"),
    ],
)
def test_halves_that_do_not_fit_are_refused(ends, message):
    with pytest.raises(ModelFileError, match=message):
        open_pair(ends, (0.0, 1.0), "nchw", (), {})


def test_a_dimension_that_is_not_there_cannot_be_inactive():
    with pytest.raises(ModelFileError, match=r"inactive = \[4\]: codes have 4 dimensions"):
        open_pair(halves(), (0.0, 1.0), "nchw", (4,), {})


def test_limits_are_in_order(tmp_path):
    with pytest.raises(ValueError, match="the lower one first"):
        OnnxPair(tmp_path, tmp_path, range=(1.0, 0.0))


@pytest.mark.parametrize("pair", [OnnxPair, TorchPair])
def test_a_file_that_is_missing_or_no_model_is_said(pair, tmp_path):
    with pytest.raises(ModelFileError, match=r"there is no .*absent"):
        pair(tmp_path / "absent", tmp_path / "absent").open()
    (tmp_path / "text").write_text("no model")
    with pytest.raises(ModelFileError, match=r"cannot (read|load) .*text"):
        pair(tmp_path / "text", tmp_path / "text").open()


def test_a_program_of_two_inputs_is_no_half(tmp_path):
    class Two(torch.nn.Module):
        def forward(self, a, b):
            return a + b

    torch.export.save(torch.export.export(Two(), (torch.zeros(1), torch.zeros(1))), tmp_path / "two.pt2")
    with pytest.raises(ModelFileError, match="takes 2 inputs"):
        TorchPair(tmp_path / "two.pt2", tmp_path / "two.pt2").open()
