"""Reading an artefact, and what its space gives."""

from __future__ import annotations

import pickle
import shutil

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError, ModelFileError, RuntimeFailedError
from dltf_vae.artefact import load_artefact, save_artefact
from dltf_vae.generator import Vae
from dltf_vae.latent import CHUNK, as_bytes


class Trap:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("something was unpickled",))


def test_a_round_trip_of_the_file_changes_nothing(trained, tmp_path):
    artefact = load_artefact(trained)
    save_artefact(artefact, tmp_path / "copy.vae.pt")
    again = load_artefact(tmp_path / "copy.vae.pt")
    assert again.facts == artefact.facts
    assert np.array_equal(again.variances, artefact.variances)
    assert all(torch.equal(again.weights[name], artefact.weights[name]) for name in artefact.weights)


def test_pictures_come_back_alike(trained, pictures):
    with Vae(trained).open() as space:
        made = space.decode(space.encode(pictures)).astype(float)
    other = np.roll(pictures, 1, axis=0)
    assert np.square(made - pictures).mean() < np.square(made - other).mean() / 1.5


@settings(max_examples=20)
@given(rows=st.permutations(range(20)), alone=st.integers(0, 19))
def test_a_row_depends_on_its_sample_alone(trained, rows, alone):
    stream = np.random.default_rng(1)
    noise = stream.integers(0, 256, (20, 28, 28, 1), dtype=np.uint8)
    crowd = stream.integers(0, 256, (CHUNK + 7, 28, 28, 1), dtype=np.uint8)
    with Vae(trained).open() as space:
        codes, spread = space.encode(noise), space.spread(noise)
        made = space.decode(codes)
        assert np.array_equal(space.encode(noise[rows]), codes[rows])
        assert np.array_equal(space.encode(np.concatenate([crowd, noise[alone : alone + 1]]))[-1], codes[alone])
        assert np.array_equal(space.spread(noise[alone : alone + 1])[0], spread[alone])
        assert np.array_equal(space.decode(codes[rows]), made[rows])
        assert np.array_equal(space.decode(codes[alone : alone + 1])[0], made[alone])


def test_nothing_in_means_nothing_out(trained):
    with Vae(trained).open() as space:
        assert space.encode(np.empty((0, 28, 28, 1), np.uint8)).shape == (0, 8)
        assert space.decode(np.empty((0, 8))).shape == (0, 28, 28, 1)


def test_dimensions_that_tell_nothing_are_inactive(trained, tmp_path):
    artefact = load_artefact(trained)
    variances = np.full(8, 0.5)
    variances[[2, 5]] = 0.0099, 0.01
    save_artefact(attrs.evolve(artefact, variances=variances), tmp_path / "half.vae.pt")
    with Vae(tmp_path / "half.vae.pt").open() as space:
        assert np.flatnonzero(~space.active).tolist() == [2, 5]


def test_active_dimensions_are_those_whose_means_vary_over_the_samples(trained, pictures):
    with Vae(trained).open() as space:
        variances = space.encode(pictures).var(axis=0)
        assert np.array_equal(space.active, variances > 0.01)
    assert load_artefact(trained).variances == pytest.approx(variances, rel=1e-3)


@pytest.mark.parametrize(
    "strange",
    [np.zeros((2, 28, 28, 1), np.float32), np.zeros((2, 32, 32, 3), np.uint8), np.zeros((28, 28, 1), np.uint8)],
    ids=str,
)
def test_other_samples_are_a_misfit_that_names_both(trained, strange):
    with Vae(trained).open() as space:
        for encode in (space.encode, space.spread):
            with pytest.raises(MisfitError, match=rf"uint8\[n×28×28×1\] from 0 to 255.* {strange.dtype}\["):
                encode(strange)


def test_codes_of_another_length_are_a_misfit(trained):
    with Vae(trained).open() as space, pytest.raises(MisfitError, match=r"\[n, 8\].*float64\[2×3\]"):
        space.decode(np.zeros((2, 3)))


def test_outside_its_block_it_is_closed(trained, pictures):
    with Vae(trained).open() as space:
        pass
    for use in (space.encode, space.spread, lambda _: space.decode(np.zeros((1, 8)))):
        with pytest.raises(RuntimeFailedError, match="has been closed"):
            use(pictures[:1])


def test_levels_are_rounded_and_clipped():
    # (v + 1) · 127.5, half to even: −1 → 0, 0 → 127.5 → 128, 1 → 255, 0.2 → 153; beyond the ends is an end.
    assert as_bytes(np.array([-1.0, 0.0, 1.0, 0.2, -7.0, 1.01]), -1.0, 1.0).tolist() == [0, 128, 255, 153, 0, 255]


def test_a_missing_file_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(ModelFileError, match=r"(?s)there is no .*absent\.vae\.pt.*dltf vae train"):
        Vae(tmp_path / "absent.vae.pt").open()


def test_nothing_but_tensors_and_plain_values_is_unpickled(tmp_path):
    trap = tmp_path / "trap.vae.pt"
    torch.save({"format": "dltf-vae 1", "facts": Trap()}, trap)
    with pytest.raises(ModelFileError, match="no file of weights and plain values"):
        Vae(trap).open()
    trap.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelFileError, match="no file of weights and plain values"):
        Vae(trap).open()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "dltf-vae 0"}, 'its format is "dltf-vae 0", not "dltf-vae 1"'),
        ({"maps": 3}, "is broken: Error"),
        ({"weights": {}}, "is broken"),
        ({"facts": {"weights": "0" * 64}}, "not those whose sha256 it states"),
    ],
)
def test_an_old_or_altered_file_is_refused(trained, tmp_path, change, message):
    content = torch.load(trained, weights_only=True) | change
    torch.save(content, tmp_path / "altered.vae.pt")
    with pytest.raises(ModelFileError, match=message):
        Vae(tmp_path / "altered.vae.pt").open()


def test_the_checkpoint_of_something_else_is_no_artefact(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ModelFileError, match="it states no format"):
        Vae(tmp_path / "other.pt").open()


def test_equal_weights_are_equal_files_but_for_their_seconds(trained, tmp_path):
    shutil.copy(trained, tmp_path / "blobs.vae.pt")
    save_artefact(load_artefact(trained), tmp_path / "again.vae.pt")
    first, second = (load_artefact(tmp_path / name).facts["weights"] for name in ("blobs.vae.pt", "again.vae.pt"))
    assert first == second
