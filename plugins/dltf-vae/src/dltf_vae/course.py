"""The course of a training: what was measured epoch by epoch, which epoch was best, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import asdict, field, frozen

from dltf_vae.epoch import Losses

Ending = Literal["", "epochs", "patience", "not finite"]


@frozen
class Epoch:
    """One epoch, from 1: both losses on what was trained on (before each step) and on what was held out (after)."""

    number: int
    train: Losses
    held_out: Losses
    seconds: float


@frozen
class Course:
    """The epochs so far."""

    epochs: tuple[Epoch, ...] = ()
    seconds: float = field(default=0.0)

    def then(self, epoch: Epoch) -> Course:
        """Return the course with one more epoch."""
        return Course((*self.epochs, epoch), self.seconds + epoch.seconds)

    @property
    def best(self) -> Epoch | None:
        """The epoch of the lowest loss on what was held out, the first of equals."""
        sound = [epoch for epoch in self.epochs if epoch.train.finite and epoch.held_out.finite]
        return min(sound, key=lambda epoch: epoch.held_out.loss, default=None)

    def ending(self, epochs: int, patience: int) -> Ending:
        """Say why it is over, or nothing while it is not."""
        if not self.epochs:
            return ""
        last = self.epochs[-1]
        if not (last.train.finite and last.held_out.finite):
            return "not finite"
        if last.number >= epochs:
            return "epochs"
        return "patience" if self.best is not None and last.number - self.best.number >= patience else ""

    def record(self) -> list[dict[str, Any]]:
        """Return plain values, for JSON."""
        return [asdict(epoch) for epoch in self.epochs]


def course_of(record: list[Mapping[str, Any]]) -> Course:
    """Return the course that `record` was made of."""
    course = Course()
    for told in record:
        losses = {key: Losses(**told[key]) for key in ("train", "held_out")}
        course = course.then(Epoch(told["number"], **losses, seconds=told["seconds"]))
    return course
