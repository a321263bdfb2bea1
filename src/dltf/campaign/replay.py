"""Reproducing what a run has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from dltf.campaign.confirm import answer_of, kind_of
from dltf.campaign.opening import first_that_fit, make_pair, open_seeds
from dltf.profile import Tree, read_tree
from dltf.values import Answer, Finding

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.store import Store


@frozen(eq=False)
class Replayed:
    """What the variants answer today on a finding's bytes; `kind` is None where they agree."""

    finding: Finding
    kind: str | None
    reference: Answer | None
    candidate: Answer | None

    @property
    def same(self) -> bool:
        """Whether both variants gave the very decisions that were stored."""
        pairs = ((self.finding.reference, self.reference), (self.finding.candidate, self.candidate))
        same = all((old and old.decision) == (new and new.decision) for old, new in pairs)
        return self.kind == self.finding.kind and same


def profile_of(store: Store, host: Host) -> Profile:
    """Return the profile that a run was made with."""
    return read_tree(Tree(store.fact("profile")), host)


def replay(store: Store, host: Host, case: int) -> Replayed:
    """Show a finding's bytes to both variants again, alone."""
    finding = store.finding(case)
    profile = profile_of(store, host)
    sample = profile.domain.codec.decode(finding.sample)
    seeds, cases = open_seeds(profile)
    with make_pair(profile) as pair:
        samples = [seed.sample for seed in first_that_fit(pair, seeds, cases)]
        pair.reference.settle(profile.reference.decoder, samples)
        pair.candidate.settle(profile.candidate.decoder, samples)
        judged = pair.judge_alone(sample)
    kind = kind_of(judged)
    if judged.crashed:
        return Replayed(finding, kind, None, None)
    return Replayed(finding, kind, answer_of(judged.reference, 0), answer_of(judged.candidate, 0))
