"""What a training gives, whatever stops it."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch

from dltf.plugin import MisfitError, ModelFileError, RuntimeFailedError, digest_of_set
from dltf_vae.artefact import load_artefact
from dltf_vae.checkpoint import checkpoint_of
from dltf_vae.course import Course, Epoch
from dltf_vae.epoch import Losses
from dltf_vae.training import train_vae

# Steps so large that the loss goes up now and then.
RESTLESS = {"learning_rate": 0.1, "schedule": "constant", "beta": 0.1}


class StoppedError(Exception):
    """Somebody pulled the plug."""


def stopping_after(number):
    def told(course):
        if len(course.epochs) == number:
            raise StoppedError

    return told


def losses(course):
    return [attrs.evolve(epoch, seconds=0.0) for epoch in course.epochs]


def test_stopped_and_resumed_it_is_the_training_that_never_stopped(trainings):
    unbroken = train_vae(trainings("unbroken", epochs=4))
    for stop in (1, 3):
        name = f"stopped_{stop}"
        with pytest.raises(StoppedError):
            train_vae(trainings(name, epochs=4), told=stopping_after(stop))
        resumed = train_vae(trainings(name, epochs=4), resume=True)
        assert losses(resumed.course) == losses(unbroken.course)
        assert resumed.artefact.facts["weights"] == unbroken.artefact.facts["weights"]
        assert np.array_equal(resumed.artefact.variances, unbroken.artefact.variances)


def test_stopped_before_its_first_checkpoint_it_begins_anew(trainings):
    unbroken = train_vae(trainings("unbroken"))
    with pytest.raises(StoppedError):
        train_vae(trainings("stopped"), told=stopping_after(1))
    checkpoint_of(trainings("stopped").generator.file).unlink()
    resumed = train_vae(trainings("stopped"), resume=True)
    assert resumed.artefact.facts["weights"] == unbroken.artefact.facts["weights"]


def test_one_seed_is_one_training_and_another_is_another(trainings):
    first, again, other = (
        train_vae(trainings(name, seed=seed)).artefact.facts["weights"] for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first == again != other


def test_the_global_generator_is_neither_read_nor_moved(trainings):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = train_vae(trainings("a"))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert train_vae(trainings("b")).artefact.facts["weights"] == first.artefact.facts["weights"]


def test_an_ending_has_its_reason():
    def course(*losses):
        told = [Losses(loss, 0.0, loss) for loss in losses]
        return Course(tuple(Epoch(i, one, one, 1.0) for i, one in enumerate(told, start=1)))

    nan = float("nan")
    assert course().ending(5, 2) == ""
    assert course(5.0, 3.0, 4.0).ending(5, 2) == ""
    assert course(5.0, 3.0, 4.0, 3.0).ending(5, 2) == "patience"
    assert course(5.0, 4.0, 3.0, 2.0, 1.0).ending(5, 2) == "epochs"
    assert course(5.0, nan).ending(5, 2) == "not finite"
    assert course(5.0, 3.0, 3.0, nan).best.number == 2
    assert course(nan).best is None


def test_it_learns(trainings):
    course = train_vae(trainings(epochs=6)).course
    assert course.best.held_out.loss < course.epochs[0].held_out.loss / 2


def test_the_file_opens_from_the_first_epoch_on(trainings):
    task = trainings(epochs=3)
    with pytest.raises(StoppedError):
        train_vae(task, told=stopping_after(1))
    facts = load_artefact(task.generator.file).facts
    assert (facts["training"]["epoch"], facts["training"]["ended"]) == (1, "still running")


def test_the_kept_epoch_is_the_one_with_the_best_elbo(trainings):
    trained = train_vae(trainings(epochs=12, patience=12, **RESTLESS))
    held_out = [epoch.held_out.loss for epoch in trained.course.epochs]
    best = trained.artefact.facts["training"]
    assert best["epoch"] == int(np.argmin(held_out)) + 1
    assert best["held_out_losses"]["loss"] == min(held_out)


def test_patience_ends_it(trainings):
    trained = train_vae(trainings(epochs=60, patience=1, **RESTLESS))
    assert trained.ending == "patience"
    assert trained.course.epochs[-1].number - trained.course.best.number == 1


def test_a_loss_that_is_no_number_keeps_the_epoch_before(trainings):
    task = trainings(epochs=4)
    with pytest.raises(StoppedError):
        train_vae(task, told=stopping_after(2))
    good = load_artefact(task.generator.file).facts["weights"]
    checkpoint = checkpoint_of(task.generator.file)
    content = torch.load(checkpoint, weights_only=True)
    content["network"]["encoder.0.weight"][0, 0, 0, 0] = float("nan")
    torch.save(content, checkpoint)
    trained = train_vae(task, resume=True)
    assert trained.ending == "not finite"
    assert len(trained.course.epochs) == 3
    assert trained.artefact.facts["weights"] == good
    assert load_artefact(task.generator.file).facts["training"]["ended"] == "not finite"


def test_a_loss_that_never_was_a_number_keeps_nothing(trainings):
    task = trainings(learning_rate=1e30)
    with pytest.raises(RuntimeFailedError, match=r"(?s)no finite number in the first epoch.*a lower learning_rate"):
        train_vae(task)
    assert not task.generator.file.exists()


def test_a_vae_that_collapsed_is_an_error_that_says_what_to_do(trainings):
    task = trainings(beta=1e5, epochs=4)
    with pytest.raises(ModelFileError, match=r"(?s)collapsed: none of its 8 dimensions.*lower beta than 100000"):
        train_vae(task)
    with pytest.raises(ModelFileError, match="has collapsed"):
        task.generator.open()


def test_a_trained_file_is_not_overwritten(trainings):
    train_vae(trainings())
    with pytest.raises(ModelFileError, match=r"(?s)is there.*--resume"):
        train_vae(trainings())
    with pytest.raises(ModelFileError, match="trained to its end"):
        train_vae(trainings(), resume=True)


def test_another_training_does_not_go_on_with_it(trainings):
    with pytest.raises(StoppedError):
        train_vae(trainings(), told=stopping_after(1))
    with pytest.raises(MisfitError, match=r"width was 4 and is 8.*beta was 1\.0 and is 2\.0"):
        train_vae(trainings(width=8, beta=2.0), resume=True)
    with pytest.raises(MisfitError, match="data was"):
        train_vae(trainings(samples=trainings().seeds.samples[1:]), resume=True)


def test_facts_say_what_it_was_made_of(trainings):
    task = trainings()
    facts = train_vae(task).artefact.facts
    samples = task.seeds.samples
    assert facts["data"] == digest_of_set(samples, [index % 2 for index in range(len(samples))])
    assert (facts["samples"], facts["source"], facts["shape"]) == (300, "test.blobs", [28, 28, 1])
    assert (facts["dtype"], facts["range"], facts["latent"]) == ("uint8", [0, 255], 8)
    assert facts["active"] + len(facts["collapsed"]) == 8


def test_the_order_of_cases_does_not_matter(trainings):
    shuffled = attrs.evolve(trainings("shuffled"), cases=np.random.default_rng(0).permutation(300).tolist())
    ours, theirs = train_vae(trainings("given")).artefact.facts, train_vae(shuffled).artefact.facts
    assert (ours["weights"], ours["data"]) == (theirs["weights"], theirs["data"])


def test_too_few_samples_are_refused(trainings):
    with pytest.raises(MisfitError, match=r"(?s)test\.blobs gives 99 samples.*100 or more"):
        train_vae(trainings(samples=trainings().seeds.samples[:99]))


def test_samples_of_several_shapes_are_refused(trainings):
    mixed = [*trainings().seeds.samples[:150], np.zeros((32, 28, 1), np.uint8)]
    with pytest.raises(MisfitError, match=r"blob 0 is uint8\[28×28×1\], blob 150 is uint8\[32×28×1\]"):
        train_vae(trainings(samples=mixed))


@pytest.mark.parametrize("strange", [np.zeros((28, 28, 1), np.float32), np.zeros((28, 28, 2), np.uint8)])
def test_what_is_no_picture_of_bytes_is_refused(trainings, strange):
    with pytest.raises(MisfitError, match=r"takes pictures, uint8 \[height, width, 1 or 3\]"):
        train_vae(trainings(samples=[strange] * 120))


def test_half_precision_trains_as_well(trainings):
    half = train_vae(trainings("half", precision="bfloat16")).course.best.held_out.loss
    whole = train_vae(trainings("whole")).course.best.held_out.loss
    assert half == pytest.approx(whole, rel=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch sees")
def test_a_gpu_trains_what_a_processor_opens(trainings):
    task = trainings(device="cuda", epochs=4)
    facts = train_vae(task).artefact.facts
    assert facts["training"]["ran_on"] == "cuda"
    with task.generator.open() as space:
        assert space.encode(task.seeds.samples[:3]).shape == (3, 8)
