"""Filling in what a profile leaves open: how each model wants its samples, and how its outputs are read.

A domain and a decoder suggest settings. Where they suggest more than one, labelled seeds decide: the settings with
which the model is right most often. Where there are no labels, they are those with which the two models agree best: a
quantised candidate that says what its grey levels are tells those of the reference, too. Whatever was guessed is said.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np
from attrs import frozen

from dltf.campaign.opening import model_of, open_seeds, that_run
from dltf.errors import MisfitError, RuntimeFailedError, SeedError, SeedSourceError
from dltf.profile import Profile, Tree, read_tree
from dltf.profile.resolve import VARIANTS
from dltf.profile.structure import unstructure
from dltf.values import Suggestion
from dltf.variant import Variant

if TYPE_CHECKING:
    from dltf.contracts import Decoder, Domain
    from dltf.host import Host
    from dltf.profile import Variant as Described
    from dltf.values import Seed

SEEDS = 256  # that settings are tried on
_BATCH = 64


@frozen
class Told:
    """One setting that was filled in: whose, its key and value, where it is from, and whether it is a guess."""

    role: str
    key: str
    value: Any
    because: str

    @property
    def guessed(self) -> bool:
        return self.because.startswith("guessed")


@frozen(eq=False)
class Inferred:
    """The tree with everything filled in, and what was filled in."""

    tree: Tree
    told: tuple[Told, ...]


@frozen(eq=False)
class _Tried:
    """What came of one way to run a model: its decisions on the seeds, and the width of its states."""

    input: Suggestion
    output: Suggestion
    decisions: Sequence[Any]  # None for a seed that the model does not take, or fails on
    width: int | None


_Choice: TypeAlias = tuple[_Tried, str]  # and why
_ALONE = "nothing else fits"


def infer(tree: Tree, host: Host) -> Inferred:
    """Fill in the input and output settings of both models; raise what a run would raise."""
    profile = read_tree(tree, host)
    seeds = _first(profile)
    labels = [seed.label for seed in seeds]
    labelled = labels if None not in labels else None
    filled = Tree(copy.deepcopy(tree.tables), dict(tree.origins), tree.name)
    ours = _ways(profile, "reference", profile.reference, seeds)
    theirs = _ways(profile, "candidate", profile.candidate, seeds)
    chosen = _by_agreement(ours, theirs) if labelled is None else _by_labels(ours, theirs, labelled)
    told: list[Told] = []
    for role, (way, why) in zip(VARIANTS, chosen, strict=True):
        told += _filled(filled.tables["models"][role], role, way, why)
    return Inferred(filled, tuple(told))


def _first(profile: Profile) -> list[Seed]:
    source, cases = open_seeds(profile)
    seeds: list[Seed] = []
    for case in cases:
        with suppress(SeedError):
            seeds.append(source[case])
        if len(seeds) == SEEDS:
            break
    if not seeds:
        raise SeedSourceError(f"none of the {len(cases)} seeds can be read", hint="name others with --seeds")
    return seeds


def _ways(profile: Profile, role: str, described: Described, seeds: list[Seed]) -> list[_Tried]:
    """Run the model in every way that is suggested; raise where none of them works."""
    tried: list[_Tried] = []
    wrong: list[MisfitError] = []
    model = attrs.evolve(model_of(described, profile.campaign), settings=None)
    with Variant(role, model, profile.domain.tensors) as variant:
        for given in _prepared(profile.domain, described, variant, seeds):
            try:
                variant.prepare(given.settings)
                reads = _read(described.decoder, variant, seeds)
            except MisfitError as error:
                wrong.append(error)
                continue
            for read in reads:
                try:
                    tried.append(_try(variant, given, read, seeds))
                except MisfitError as error:  # a suggestion that does not fit takes nothing from the others
                    wrong.append(error)
    if not tried:
        raise wrong[0]
    return tried


def _prepared(domain: Domain, described: Described, variant: Variant, seeds: Sequence[Seed]) -> Sequence[Suggestion]:
    """Return what the domain suggests for the input."""
    suggest = getattr(domain.tensors, "suggest", None)  # contracts.Suggests
    if variant.native or suggest is None:
        return [Suggestion(described.input)]
    try:
        suggested: Sequence[Suggestion] = suggest(variant.left, described.input, [seed.sample for seed in seeds])
    except MisfitError as error:
        raise MisfitError(f"the {variant.role} ({variant.name}): {error.message}", hint=error.hint) from error
    return suggested


def _read(decoder: Decoder, variant: Variant, seeds: list[Seed]) -> Sequence[Suggestion]:
    """Return what the decoder suggests for the outputs."""
    suggest = getattr(decoder, "suggest", None)  # contracts.Suggests
    if suggest is None:
        return [Suggestion(decoder)]
    if not variant.outputs:
        that_run([variant], seeds[:_BATCH])  # a model that lists none tells them when it runs
    try:
        suggested: Sequence[Suggestion] = suggest(variant.outputs)
    except MisfitError as error:
        hint = f"{error.hint}, for example: --{variant.role}-input output.output={variant.outputs[0].name}"
        raise MisfitError(f"the {variant.role} ({variant.name}): {error.message}", hint=hint) from error
    return suggested


def _try(variant: Variant, given: Suggestion, read: Suggestion, seeds: list[Seed]) -> _Tried:
    """Return what comes of a way on the seeds that the model takes; the others have no decision."""
    try:
        decisions, width = _decided(variant, read, seeds)
    except (MisfitError, RuntimeFailedError):
        running = that_run([variant], seeds)
        if len(running) == len(seeds):
            raise
        some, width = _decided(variant, read, running)
        decision_of = {id(seed): decision for seed, decision in zip(running, some, strict=True)}
        decisions = [decision_of.get(id(seed)) for seed in seeds]
    return _Tried(given, read, decisions, width)


def _decided(variant: Variant, read: Suggestion, seeds: Sequence[Seed]) -> tuple[list[Any], int | None]:
    samples, columns = [seed.sample for seed in seeds], [seed.columns for seed in seeds]
    variant.settle(read.settings, samples[:_BATCH], columns[:_BATCH])
    seen = [
        variant.observe(samples[first : first + _BATCH], columns[first : first + _BATCH])
        for first in range(0, len(seeds), _BATCH)
    ]
    states = seen[0].states
    decisions = [_plain(decision) for part in seen for decision in part.decisions]
    return decisions, None if states is None else states.shape[1]


def _by_labels(ours: Sequence[_Tried], theirs: Sequence[_Tried], labels: Sequence[Any]) -> list[_Choice]:
    """Return each model's best way by the labels, and why; where it can, the candidate has as many classes."""
    reference, why = _best(ours, labels, "right")
    alike = [way for way in theirs if way.width == reference.width] or theirs
    return [(reference, why), _best(alike, labels, "right")]


def _by_agreement(ours: Sequence[_Tried], theirs: Sequence[_Tried]) -> list[_Choice]:
    """Return the ways with which the models agree best, the likeliest where several do, and why."""
    shares = []
    for reference in ours:
        alike = [way for way in theirs if way.width == reference.width] or theirs
        shares.append(max(_agreement(way.decisions, reference.decisions) for way in alike))
    likeliest = int(np.argmax(shares))
    reference = ours[likeliest]
    why = "there are no labels to tell by: check it" if len(ours) > 1 else _ALONE
    if likeliest:
        others = max(share for position, share in enumerate(shares) if position != likeliest)
        why = (
            f"with it {shares[likeliest]:.0%} of the candidate's answers agree, with the next best {others:.0%}; {why}"
        )
    alike = [way for way in theirs if way.width == reference.width] or theirs
    return [(reference, why), _best(alike, reference.decisions, "as the reference does")]


def _best(tried: Sequence[_Tried], yardstick: Sequence[Any], right: str) -> _Choice:
    """Return the way whose answers are most often those of the yardstick, and why."""
    if len(tried) == 1:
        return tried[0], _ALONE
    shares = [_agreement(way.decisions, yardstick) for way in tried]
    best = int(np.argmax(shares))  # of equals the likeliest
    next_best = max(share for position, share in enumerate(shares) if position != best)
    told = f"with it {shares[best]:.0%} of {len(yardstick)} seeds are answered {right}"
    return tried[best], f"{told}, with the next best {next_best:.0%}"


def _agreement(decisions: Sequence[Any], yardstick: Sequence[Any]) -> float:
    pairs = zip(decisions, yardstick, strict=True)
    return float(np.mean([ours is not None and ours == theirs for ours, theirs in pairs]))


def _filled(table: dict[str, Any], role: str, chosen: _Tried, why: str) -> list[Told]:
    """Write the chosen settings into a model's table; return what was not there before."""
    told = []
    for key, suggestion in (("input", chosen.input), ("output", chosen.output)):
        written = unstructure(suggestion.settings)
        for name, because in suggestion.because.items():
            if name in written:
                table.setdefault(key, {})[name] = written[name]
            reason = f"{because}; {why}" if because.startswith("guessed") else because
            told.append(Told(role, f"{key}.{name}", written.get(name), reason))
    return told


def _plain(decision: Any) -> Any:
    return decision.item() if hasattr(decision, "item") else decision
