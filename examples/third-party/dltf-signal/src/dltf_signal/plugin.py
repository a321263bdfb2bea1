"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_domains() -> list[Component]:
    """Signals."""
    return [
        Component("signal", "dltf_signal.domain:Signal", "One-dimensional signals of any length: float32 [length].")
    ]


@hookimpl
def dltf_seed_sources() -> list[Component]:
    """Signals out of a formula."""
    return [Component("signal.waves", "dltf_signal.waves:Waves", "Tones one after another, made by a formula.")]


@hookimpl
def dltf_mutation_operators() -> list[Component]:
    """Noise and loudness."""
    return [
        Component("signal.noise", "dltf_signal.operators:Noise", "Adds white noise of a drawn strength."),
        Component("signal.gain", "dltf_signal.operators:Gain", "Makes the signal louder or softer."),
    ]


@hookimpl
def dltf_decoders() -> list[Component]:
    """From scores to tones."""
    return [
        Component(
            "signal.tones", "dltf_signal.tones:Tones", "The best tone of each segment, silence and repeats left out."
        )
    ]


@hookimpl
def dltf_oracles() -> list[Component]:
    """How far apart two sequences are."""
    return [Component("signal.edits", "dltf_signal.edits:Edits", "More edits between the two answers than tolerated.")]
