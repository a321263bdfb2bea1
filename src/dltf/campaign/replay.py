"""Reproducing what a run has found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.campaign.confirm import answer_of, kind_of
from dltf.campaign.environment import model_facts
from dltf.campaign.opening import make_pair
from dltf.errors import ProfileError, RunFolderError
from dltf.profile import Tree, override, read_domain, read_oracle, read_tree
from dltf.profile.structure import structure
from dltf.values import Answer, Finding

if TYPE_CHECKING:
    from dltf.contracts import Decoder, Domain
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.store import Store


@frozen(eq=False)
class Replayed:
    """What the variants answer today on a finding's bytes; `kind` is None where they agree.

    `changed` names the models that are not those of the run.
    """

    finding: Finding
    kind: str | None
    reference: Answer | None
    candidate: Answer | None
    changed: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both variants gave the very decisions that were stored."""
        pairs = ((self.finding.reference, self.reference), (self.finding.candidate, self.candidate))
        same = all((old and old.decision) == (new and new.decision) for old, new in pairs)
        return self.kind == self.finding.kind and same


def profile_of(store: Store, host: Host, overrides: Iterable[str] = ()) -> Profile:
    """Return the profile that a run was made with; `overrides` change it, as --set does."""
    try:
        return read_tree(override(_tree(store), overrides), host)
    except ProfileError as error:
        error.hint = "name files that have moved: --set models.reference.file=…, models.candidate.file or seeds.path"
        raise


def domain_of(store: Store, host: Host) -> Domain:
    """Return the domain of a run alone, whose models need not be here any more."""
    return read_domain(_tree(store), host)


def oracle_of(store: Store, host: Host) -> Any:
    """Return the oracle of a run alone."""
    return read_oracle(_tree(store), host)


def replay(store: Store, host: Host, case: int, overrides: Iterable[str] = (), phase: str | None = None) -> Replayed:
    """Show a finding's bytes to both variants again, alone; neither seeds nor their source are needed.

    With a phase ("shrink", "amplify") it is what became of the finding there.
    """
    finding = store.finding(case) if phase is None else _derived(store, case, phase)
    profile = profile_of(store, host, overrides)
    seed, sample = (profile.domain.codec.decode(data) for data in (finding.seed, finding.sample))
    changed = _changed(store, profile)
    with make_pair(profile) as pair:
        for variant, described in ((pair.reference, profile.reference), (pair.candidate, profile.candidate)):
            moved = str(described.table.file or described.name) in changed
            same = not moved and _same_output(store, profile, variant.role)
            settled = _settled(store, variant.role, described.decoder) if same else None
            if settled is None:
                variant.settle(described.decoder, [seed, sample], [finding.columns] * 2)
            else:
                variant.read_by(settled)
        judged = pair.judge_alone(sample, finding.columns, finding.seed_label)
    kind = kind_of(judged)
    if judged.crashed:
        return Replayed(finding, kind, None, None, changed)
    return Replayed(finding, kind, answer_of(judged.reference, 0), answer_of(judged.candidate, 0), changed)


def _derived(store: Store, case: int, phase: str) -> Finding:
    found = store.derived(case)
    if phase not in found:
        hint = f"go on with the run: --resume --set {phase}.queries=100"
        raise RunFolderError(f"{store.folder.path} has no finding {case} of the phase {phase}", hint=hint)
    return found[phase]


def _tree(store: Store) -> Tree:
    tables: dict[str, Any] | None = store.fact("profile")
    if tables is None:
        raise RunFolderError(f"{store.folder.path} holds a run that has not begun", hint="begin it with --resume")
    return Tree(tables, name="the run's profile")


def _same_output(store: Store, profile: Profile, role: str) -> bool:
    before, now = (tree["models"][role].get("output") for tree in (store.fact("profile"), profile.tree))
    return bool(before == now)


def _settled(store: Store, role: str, decoder: Decoder) -> Decoder | None:
    """Return the decoder as it was settled for the run."""
    settings = dict(store.fact("variants", {}).get(role, {}).get("output", {}))
    settled: Decoder | None
    settled, wrong = structure(type(decoder), settings, lambda _: store.folder.path)
    return None if wrong else settled


def _changed(store: Store, profile: Profile) -> tuple[str, ...]:
    models = {"reference": profile.reference, "candidate": profile.candidate}
    before = store.fact("models", {})
    return tuple(
        str(model.table.file or model.name)
        for role, model in models.items()
        if role in before and model_facts(model)["sha256"] != before[role]["sha256"]
    )
