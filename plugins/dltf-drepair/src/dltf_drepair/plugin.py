"""The shelf of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_repair_heads() -> list[Component]:
    """From the paper's perceptron to heads that begin with what the candidate says."""
    return [
        Component(
            "drepair", "dltf_drepair.perceptron:Perceptron", "One hidden layer on the probabilities (DFlare, 5.5)."
        ),
        Component(
            "linear", "dltf_drepair.linear:Linear", "Logistic regression on log-probabilities, margins and ranks."
        ),
        Component(
            "residual", "dltf_drepair.residual:Residual", "What the candidate says, and a learnt correction of it."
        ),
        Component("boosted", "dltf_drepair.boosted:Boosted", "Gradient-boosted trees on the same features as linear."),
        Component(
            "nearest", "dltf_drepair.nearest:Nearest", "A vote of the nearest probability vectors that were seen."
        ),
    ]
