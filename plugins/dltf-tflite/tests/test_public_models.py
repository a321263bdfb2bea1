"""What is known of public models holds: accuracy, and what the choice of kernels does to them."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_tflite.backend import TFLite


def answers(file, target, tensor):
    with TFLite().open(file, target) as runner:
        (scores,) = runner.run({runner.inputs[0].name: tensor}).values()
    return scores


@pytest.mark.parametrize("name", ["lenet5.float.tflite", "lenet5-quan.lite"])
def test_lenet5_is_as_accurate_as_published(data, name):
    with np.load(data / "mnist.npz") as arrays:
        images, labels = arrays["x_test"][:1000, :, :, None].astype(np.float32) / 255, arrays["y_test"][:1000]
    scores = answers(data / "models" / "dflare" / name, "cpu", images)
    assert (scores.argmax(axis=1) == labels).mean() == pytest.approx(0.985, abs=0.01)


def test_kernels_move_a_quantised_network_and_hardly_a_float_one(data, cifar10):
    folder = data / "models" / "mlperf_tiny"
    pictures = cifar10["pictures"]
    real = [answers(folder / "pretrainedResnet.tflite", t, pictures.astype(np.float32)) for t in ("cpu", "cpu-builtin")]
    whole = (pictures.astype(np.int16) - 128).astype(np.int8)
    steps = [answers(folder / "pretrainedResnet_quant.tflite", t, whole) for t in ("cpu", "cpu-builtin")]
    assert (real[0].argmax(axis=1) == real[1].argmax(axis=1)).all()
    np.testing.assert_allclose(real[0], real[1], atol=1e-4)
    assert (steps[0].argmax(axis=1) != steps[1].argmax(axis=1)).any()
    assert np.abs(steps[0].astype(int) - steps[1].astype(int)).max() > 10


def test_default_kernels_do_not_depend_on_the_batch(data, cifar10):
    file = data / "models" / "mlperf_tiny" / "pretrainedResnet_quant.tflite"
    tensor = (cifar10["pictures"][:64].astype(np.int16) - 128).astype(np.int8)
    with TFLite().open(file, "cpu") as runner:
        name = runner.inputs[0].name
        together = next(iter(runner.run({name: tensor}).values()))
        for size in (1, 7):
            parts = [next(iter(runner.run({name: tensor[i : i + size]}).values())) for i in range(0, 64, size)]
            np.testing.assert_array_equal(np.concatenate(parts), together)


def test_a_network_with_a_constant_reshape_says_that_it_refuses_batches(data):
    file = data / "models" / "coral" / "mobilenet_v2_1.0_224_quant.tflite"
    with TFLite().open(file, "cpu") as runner:
        (scores,) = runner.run({"input": np.zeros((2, 224, 224, 3), np.uint8)}).values()
    assert scores.shape == (2, 1001)
    assert "one by one" in runner.notes[0]
