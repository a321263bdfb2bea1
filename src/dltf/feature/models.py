"""Opening what is under test and the judges, settled on the first seeds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.campaign.environment import model_facts
from dltf.campaign.opening import BATCH, model_of, that_run
from dltf.campaign.probe import probe
from dltf.feature.answers import Tested
from dltf.values import Seed
from dltf.variant import Variant

if TYPE_CHECKING:
    from dltf.feature.trials import SeedSet
    from dltf.profile.feature import FeatureProfile
    from dltf.profile.model import Variant as Described

_SETTLE = 64  # seeds that decoders and the probe look at


@frozen(eq=False)
class Models:
    """Everything that answers, opened, and what is known of each for the record."""

    tested: Tested
    check: Mapping[str, Variant]
    measure: Mapping[str, Variant]
    facts: Mapping[str, Any]  # by role: "candidate", "reference", "judges.check.NAME", "judges.measure.NAME"


def open_models(profile: FeatureProfile, seeds: SeedSet, classes: Sequence[Hashable], stack: ExitStack) -> Models:
    """Open every model until the stack is closed; raise `MisfitError` where one does not fit the seeds."""
    first = [
        Seed(seeds.samples[row], seeds.names[row], seeds.labels[row], seeds.columns[row])
        for row in range(min(_SETTLE, len(seeds)))
    ]
    facts: dict[str, Any] = {}

    def opened(role: str, described: Described) -> Variant:
        variant = stack.enter_context(Variant(role, model_of(described, profile.campaign), profile.domain.tensors))
        variant.check(first[0].sample, first[0].columns)
        running = that_run((variant,), first)
        variant.settle(described.decoder, [seed.sample for seed in running], [seed.columns for seed in running])
        seen = probe(variant, running, profile.campaign.batch)
        # As in a campaign: a profile that sets its batch accepts what the batch does to answers.
        variant.alone = profile.campaign.batch is None and not seen.batch
        facts[role] = model_facts(described) | {
            "name": described.name,
            "target": variant.target,
            "one_by_one": variant.alone,
            "batch_difference": seen.largest_difference,
            "notes": list(variant.notes),
        }
        return variant

    candidate = opened("candidate", profile.models["candidate"])
    reference = opened("reference", profile.models["reference"]) if "reference" in profile.models else None
    judges = {
        role: {name: opened(f"judges.{role}.{name}", one) for name, one in profile.judges[role].items()}
        for role in ("check", "measure")
    }
    tested = Tested(candidate, reference, profile.oracle, classes, profile.campaign.batch or BATCH)
    return Models(tested, judges["check"], judges["measure"], facts)
