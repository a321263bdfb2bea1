"""What the oracles of speech compare: sentences, in one spelling."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from dltf.plugin import MisfitError, Observations
from dltf_speech.normalise import Normalise, normalise


def sentence(decision: Hashable, oracle: str, spelling: Normalise) -> str:
    """Return a decision in this spelling, its words separated by single spaces; raise `MisfitError` for no sentence."""
    if not isinstance(decision, str):
        raise MisfitError(
            f'the oracle "{oracle}" needs sentences, and the decoder answers {decision!r}',
            hint='set use = "ctc" or "text" in both tables [models.*.output], or choose another oracle',
        )
    return normalise(decision, spelling)


def sentences(observations: Observations, oracle: str, spelling: Normalise) -> Sequence[str]:
    """Return the decisions of n observations as sentences."""
    return [sentence(decision, oracle, spelling) for decision in observations.decisions]
