"""Reproducing what a run has found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.campaign.confirm import answer_of, kind_of
from dltf.campaign.environment import file_facts
from dltf.campaign.opening import first_that_fit, make_pair, open_seeds
from dltf.errors import ProfileError, RunFolderError
from dltf.profile import Tree, read_tree
from dltf.profile.structure import structure
from dltf.values import Answer, Finding

if TYPE_CHECKING:
    from dltf.contracts import Domain
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.store import Store


@frozen(eq=False)
class Replayed:
    """What the variants answer today on a finding's bytes; `kind` is None where they agree.

    `changed` names the model files that are not those of the run.
    """

    finding: Finding
    kind: str | None
    reference: Answer | None
    candidate: Answer | None
    changed: tuple[Path, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both variants gave the very decisions that were stored."""
        pairs = ((self.finding.reference, self.reference), (self.finding.candidate, self.candidate))
        same = all((old and old.decision) == (new and new.decision) for old, new in pairs)
        return self.kind == self.finding.kind and same


def profile_of(store: Store, host: Host) -> Profile:
    """Return the profile that a run was made with."""
    return read_tree(Tree(_tables(store), {(): store.folder.database}), host)


def domain_of(store: Store, host: Host) -> Domain:
    """Return the domain of a run alone, whose models need not be here any more."""
    tables = _tables(store)
    cls = host.find("dltf_domains", tables["campaign"]["domain"]).load()
    domain, wrong = structure(cls, tables.get("domain", {}), lambda _: store.folder.path)
    if wrong:
        raise ProfileError(
            [f"{store.folder.database.name}: {'.'.join(('domain', *at))}{message}" for at, message in wrong]
        )
    checked: Domain = domain
    return checked


def _tables(store: Store) -> dict[str, Any]:
    tables: dict[str, Any] | None = store.fact("profile")
    if tables is None:
        raise RunFolderError(f"{store.folder.path} holds a run that has not begun", hint="begin it with --resume")
    return tables


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
    kind, changed = kind_of(judged), _changed(store, profile)
    if judged.crashed:
        return Replayed(finding, kind, None, None, changed)
    return Replayed(finding, kind, answer_of(judged.reference, 0), answer_of(judged.candidate, 0), changed)


def _changed(store: Store, profile: Profile) -> tuple[Path, ...]:
    files = {"reference": profile.reference.table.file, "candidate": profile.candidate.table.file}
    before = store.fact("models", {})
    return tuple(
        file for role, file in files.items() if role in before and file_facts(file)["sha256"] != before[role]["sha256"]
    )
