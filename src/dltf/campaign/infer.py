"""Filling in what a profile leaves open: how each model wants its samples, and how its outputs are read.

A domain and a decoder suggest settings. Where they suggest more than one, labelled seeds decide: the settings with
which the model is right most often. Where there are no labels, the candidate's settings are those with which it agrees
best with the reference. Whatever was guessed is said.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from attrs import frozen

from dltf.campaign.opening import model_of, open_seeds
from dltf.errors import MisfitError, SeedError, SeedSourceError
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
    decisions: Sequence[Any]
    width: int | None


def infer(tree: Tree, host: Host) -> Inferred:
    """Fill in the input and output settings of both models; raise what a run would raise."""
    profile = read_tree(tree, host)
    seeds = _first(profile)
    labels = [seed.label for seed in seeds]
    labelled = labels if None not in labels else None
    filled = Tree(copy.deepcopy(tree.tables), dict(tree.origins), tree.name)
    told: list[Told] = []
    reference: _Tried | None = None
    for role, described in zip(VARIANTS, (profile.reference, profile.candidate), strict=True):
        tried = _ways(profile, role, described, seeds)
        chosen, why = _choose(tried, labelled, reference)
        reference = reference or chosen
        told += _filled(filled.tables["models"][role], role, chosen, why)
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


def _ways(profile: Profile, role: str, described: Described, seeds: Sequence[Seed]) -> list[_Tried]:
    """Run the model in every way that is suggested; raise where none of them works."""
    tried: list[_Tried] = []
    wrong: MisfitError | None = None
    model = attrs.evolve(model_of(described, profile.campaign), settings=None)
    with Variant(role, model, profile.domain.tensors) as variant:
        inputs = _prepared(profile.domain, described, variant, seeds)
        for given in inputs:
            try:
                variant.prepare(given.settings)
                outputs = _read(described.decoder, variant, seeds[0])
                some = seeds if len(inputs) * len(outputs) > 1 else seeds[:1]
                tried += [_try(variant, given, read, some) for read in outputs]
            except MisfitError as error:
                wrong = wrong or error
    if not tried:
        assert wrong is not None, "somebody suggests something"
        raise wrong
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


def _read(decoder: Decoder, variant: Variant, seed: Seed) -> Sequence[Suggestion]:
    """Return what the decoder suggests for the outputs."""
    suggest = getattr(decoder, "suggest", None)  # contracts.Suggests
    if suggest is None:
        return [Suggestion(decoder)]
    if not variant.outputs:
        variant.raw([seed.sample], [seed.columns])  # a model that lists none tells them when it runs
    suggested: Sequence[Suggestion] = suggest(variant.outputs)
    return suggested


def _try(variant: Variant, given: Suggestion, read: Suggestion, seeds: Sequence[Seed]) -> _Tried:
    samples, columns = [seed.sample for seed in seeds], [seed.columns for seed in seeds]
    variant.settle(read.settings, samples, columns)
    seen = [
        variant.observe(samples[first : first + _BATCH], columns[first : first + _BATCH])
        for first in range(0, len(seeds), _BATCH)
    ]
    states = seen[0].states
    decisions = [_plain(decision) for part in seen for decision in part.decisions]
    return _Tried(given, read, decisions, None if states is None else states.shape[1])


def _choose(tried: Sequence[_Tried], labels: Sequence[Any] | None, reference: _Tried | None) -> tuple[_Tried, str]:
    """Return the best way, and why."""
    if len(tried) == 1:
        return tried[0], "nothing else fits"
    yardstick, right = labels, "right"
    if labels is None and reference is not None:
        yardstick, right = reference.decisions, "as the reference does"
    if reference is not None:
        tried = [way for way in tried if way.width == reference.width] or tried
    if yardstick is None or len(yardstick) < len(tried[0].decisions):
        return tried[0], "there are no labels to tell by: check it"
    shares = [_agreement(way.decisions, yardstick) for way in tried]
    best = int(np.argmax(shares))  # of equals the likeliest
    others = [share for position, share in enumerate(shares) if position != best]
    beside = f", with the next best {max(others):.0%}" if others else ""
    return tried[best], f"with it {shares[best]:.0%} of {len(yardstick)} seeds are answered {right}{beside}"


def _agreement(decisions: Sequence[Any], yardstick: Sequence[Any]) -> float:
    return float(np.mean([ours == theirs for ours, theirs in zip(decisions, yardstick, strict=True)]))


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
