"""From a plugin's name to one test for each promise of each of its components."""

from __future__ import annotations

import importlib.util
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from dltf.component import Component
from dltf.errors import UnknownComponentError, nearest
from dltf.hookspecs import SHELVES
from dltf.host import BUILTIN, GROUP, Host
from dltf.testing import (
    any_component,
    backends,
    commands,
    converters,
    decoders,
    domains,
    generators,
    operators,
    oracles,
    repair_heads,
    seed_sources,
    strategies,
    whole_plugin,
)
from dltf.testing.fakes import entry_point
from dltf.testing.promise import Offer, Promise, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dltf.testing.examples import Examples

PROMISES: Mapping[str, tuple[Promise, ...]] = {
    "dltf_domains": domains.PROMISES,
    "dltf_seed_sources": seed_sources.PROMISES,
    "dltf_model_backends": backends.PROMISES,
    "dltf_converters": converters.PROMISES,
    "dltf_decoders": decoders.PROMISES,
    "dltf_mutation_operators": operators.PROMISES,
    "dltf_operator_presets": (operators.a_preset_names_its_operators, *operators.PROMISES),
    "dltf_oracles": oracles.PROMISES,
    "dltf_search_strategies": strategies.PROMISES,
    "dltf_generators": generators.PROMISES,
    "dltf_repair_heads": repair_heads.PROMISES,
    "dltf_commands": commands.PROMISES,
}
"""What the components of each shelf promise, beyond what all of them do."""


@frozen(eq=False)
class Check:
    """One promise of one component, or of the plugin as a whole."""

    hook: str
    component: Component
    promise: Promise

    @property
    def id(self) -> str:
        kind = SHELVES[self.hook].rpartition(" ")[2] if self.hook else "plugin"
        return f"{kind}-{self.component.name}-{self.promise.__name__}"


def conformance(
    plugin: str, *, without: Mapping[str, str] | None = None
) -> Callable[[Callable[[Path], Examples]], Callable[..., None]]:
    """Make a test for each promise of each component of a plugin out of a function that returns the `Examples`.

    `plugin` is the name of an installed entry point, a module ("dltf_signal.plugin"), or "dltf" for the host's own
    components. `without` maps the names of components that cannot be tested here to the reason, with which
    they are skipped.
    """
    offer = find_offer(plugin)
    excused = dict(without or {})

    def decorate(give: Callable[[Path], Examples]) -> Callable[..., None]:
        examples = _Once(give)

        @pytest.mark.parametrize("check", [_parameter(check, excused) for check in checks(offer, excused)])
        def test(check: Check, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
            __tracebackhide__ = True
            material = examples.get(tmp_path_factory)
            check.promise(Subject(offer, check.hook, check.component, material, tmp_path))

        test.__name__, test.__qualname__, test.__doc__ = give.__name__, give.__qualname__, give.__doc__
        test.__module__ = give.__module__
        return test

    return decorate


def find_offer(plugin: str) -> Offer:
    """Load a plugin as the host does, alone, and list what it offers."""
    entry = None if plugin == BUILTIN else _entry(plugin)
    host = Host([] if entry is None else [entry])
    module = "dltf.builtin.plugin" if entry is None else entry.module
    components = tuple(
        (hook, shelved.component)
        for hook, shelf in host.shelves.items()
        for shelved in shelf
        if (shelved.owner == BUILTIN) == (entry is None)
    )
    return Offer(plugin, module, components, tuple(failure.cause for failure in host.failures))


def checks(offer: Offer, excused: Mapping[str, str]) -> Iterator[Check]:
    """List every promise of a plugin; a component that is excused still has to be on its shelf."""
    itself = Component("plugin", f"{offer.module}:plugin", "The plugin as a whole.")
    yield from (Check("", itself, promise) for promise in whole_plugin.PROMISES)
    for hook, component in offer.components:
        common = () if hook == commands.HOOK else any_component.PROMISES
        yield from (Check(hook, component, promise) for promise in (*common, *PROMISES[hook]))
    for name in sorted(excused.keys() - {component.name for _, component in offer.components}):
        raise UnknownComponentError(
            f'the plugin "{offer.plugin}" offers no "{name}" to be tested without'
            f"{nearest(name, [component.name for _, component in offer.components])}"
        )


def _entry(plugin: str) -> EntryPoint:
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    if plugin in installed:
        return installed[plugin]
    if "." in plugin or importlib.util.find_spec(plugin):
        return entry_point(plugin.partition(".")[0].replace("_", "-"), plugin)
    raise UnknownComponentError(
        f'there is no installed plugin "{plugin}"{nearest(plugin, installed)}',
        hint="install it (pip install -e .), or name its module: conformance('my_package.plugin')",
    )


def _parameter(check: Check, excused: Mapping[str, str]) -> Any:
    reason = excused.get(check.component.name) if check.hook else None
    return pytest.param(check, id=check.id, marks=[] if reason is None else [pytest.mark.skip(reason=reason)])


class _Once:
    """The author's examples, made when the first test asks for them."""

    def __init__(self, give: Callable[[Path], Examples]) -> None:
        self._give = give
        self._made: Examples | None = None

    def get(self, factory: pytest.TempPathFactory) -> Examples:
        if self._made is None:
            self._made = self._give(factory.mktemp("examples"))
        return self._made
