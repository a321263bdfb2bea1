"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_mutation_operators() -> list[Component]:
    """One more for pictures."""
    return [Component("image.negative", "dltf_negative.negative:Negative", "Fades a picture towards its negative.")]


@hookimpl
def dltf_oracles() -> list[Component]:
    """One more for any decoder whose scores are probabilities."""
    return [
        Component(
            "confident_label",
            "dltf_negative.confident_label:ConfidentLabel",
            "The answers differ, and both variants are sure of theirs.",
        )
    ]
