"""The host: who is there, what they offer, and what is wrong with them.

Discovery never lets one plugin harm another: each entry point is loaded, checked and read in a guard of its own, and
what fails is kept as a record with its cause. The order of plugins means nothing, so a name claimed by two of them
belongs to neither until one is uninstalled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType, ModuleType
from typing import Any

import pluggy
from attrs import frozen

from dltf import hookspecs
from dltf.component import Component
from dltf.errors import ContestedNameError, UnknownComponentError, nearest

GROUP = "dltf"
BUILTIN = "dltf"


@frozen
class Shelved:
    """A component and the distribution that brought it."""

    component: Component
    owner: str


@frozen
class Failure:
    """A plugin, or one thing of it, that could not be used, and why."""

    plugin: str
    distribution: str
    cause: str


@frozen
class Plugin:
    """A plugin that was found: its entry point's name, and the distribution that brought it."""

    name: str
    distribution: str
    version: str


@frozen
class Shelf:
    """All components of one kind, looked up by name."""

    kind: str
    items: Mapping[str, Shelved]
    contested: Mapping[str, tuple[str, ...]]

    def __iter__(self) -> Iterator[Shelved]:
        return iter(self.items[name] for name in sorted(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def find(self, name: str) -> Component:
        """Return the component of this name, or say which is nearest."""
        if name in self.contested:
            owners = " and ".join(self.contested[name])
            raise ContestedNameError(
                f'the {self.kind} "{name}" is claimed by {owners}', hint="uninstall one of them: pip uninstall NAME"
            )
        if name not in self.items:
            raise UnknownComponentError(
                f'there is no {self.kind} "{name}"{nearest(name, self.items)}',
            )
        return self.items[name].component


class Host:
    """All plugins of one process, found once.

    A test hands over its own entry points; everyone else gets those of the environment.
    """

    def __init__(self, found: Iterable[EntryPoint] | None = None) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._owners: dict[str, Plugin] = {}
        self.failures: list[Failure] = []
        self._load_builtin()
        for name, rivals in _by_name(entry_points(group=GROUP) if found is None else found).items():
            self._load(name, rivals)
        self.shelves: Mapping[str, Shelf] = MappingProxyType(
            {hook: self._collect(hook, kind) for hook, kind in hookspecs.SHELVES.items()}
        )

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that loaded, by name; the host's own components come first."""
        return tuple(sorted(self._owners.values(), key=lambda plugin: (plugin.distribution != BUILTIN, plugin.name)))

    def find(self, hook: str, name: str) -> Component:
        """Look a component up on the shelf of this hook."""
        return self.shelves[hook].find(name)

    def observe(self, observer: object) -> None:
        """Register an object whose `hookimpl` methods are told the moments of a campaign."""
        self._manager.register(observer, name=f"{type(observer).__name__} at {id(observer):#x}")

    def tell(self, hook: str, **facts: Any) -> None:
        """Tell everyone a moment; one raising observer takes nothing from the others, and its failure is kept."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                implementation.function(**{name: facts[name] for name in implementation.argnames})
            except (Exception, SystemExit) as error:
                plugin = self._owners.get(implementation.plugin_name)
                self._fail(
                    implementation.plugin_name,
                    plugin.distribution if plugin else BUILTIN,
                    f"{hook} raised {_told(error)}",
                )

    def _load_builtin(self) -> None:
        from dltf import __version__
        from dltf.builtin import plugin as builtin

        self._manager.register(builtin, name=BUILTIN)
        self._owners[BUILTIN] = Plugin(BUILTIN, BUILTIN, __version__)

    def _load(self, name: str, rivals: list[EntryPoint]) -> None:
        distributions = sorted({_distribution(entry) for entry in rivals})
        if len(distributions) > 1 or name == BUILTIN:
            holders = sorted({*distributions, BUILTIN}) if name == BUILTIN else distributions
            for distribution in distributions:
                cause = f'the plugin name "{name}" is claimed by {" and ".join(holders)}; uninstall one of them'
                self._fail(name, distribution, cause)
            return
        entry, distribution = rivals[0], distributions[0]
        try:
            module = entry.load()
        # A plugin may raise anything at all while it is imported, sys.exit() included.
        except (Exception, SystemExit) as error:
            self._fail(name, distribution, f"{entry.value} could not be imported: {_told(error)}")
            return
        try:
            self._manager.register(module, name=name)
            self._manager.check_pending()
        # Looking at a plugin's attributes may raise anything at all, too.
        except (Exception, SystemExit) as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self._fail(name, distribution, _explain(error, module))
            return
        self._owners[name] = Plugin(name, distribution, entry.dist.version if entry.dist else "")

    def _collect(self, hook: str, kind: str) -> Shelf:
        claims: dict[str, list[tuple[Plugin, Shelved]]] = {}
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            plugin = self._owners[implementation.plugin_name]
            try:
                offered = [_checked(item) for item in implementation.function()]
            except (Exception, SystemExit) as error:
                self._fail(plugin.name, plugin.distribution, f"{hook} raised {_told(error)}")
                continue
            for component in offered:
                claims.setdefault(component.name, []).append((plugin, Shelved(component, plugin.distribution)))
        items: dict[str, Shelved] = {}
        contested: dict[str, tuple[str, ...]] = {}
        for name, rivals in claims.items():
            own = [shelved for _, shelved in rivals if shelved.owner == BUILTIN]
            if len(rivals) == 1 or own:
                items[name] = own[0] if own else rivals[0][1]
            if len(rivals) > 1:
                owners = tuple(sorted(shelved.owner for _, shelved in rivals))
                for plugin, shelved in rivals:
                    if shelved.owner != BUILTIN:
                        cause = f'the {kind} "{name}" is claimed by {" and ".join(owners)}; uninstall one of them'
                        self._fail(plugin.name, shelved.owner, cause)
                if not own:
                    contested[name] = owners
        return Shelf(kind, MappingProxyType(items), MappingProxyType(contested))

    def _fail(self, plugin: str, distribution: str, cause: str) -> None:
        failure = Failure(plugin, distribution, cause)
        if failure not in self.failures:
            self.failures.append(failure)


def _by_name(found: Iterable[EntryPoint]) -> dict[str, list[EntryPoint]]:
    # An editable install can be seen twice on sys.path: the same entry of the same distribution counts once.
    rivals: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for entry in found:
        rivals.setdefault(entry.name, {})[(_distribution(entry), entry.value)] = entry
    return {name: list(rivals[name].values()) for name in sorted(rivals)}


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _checked(item: object) -> Component:
    if not isinstance(item, Component):
        raise TypeError(f"a shelf holds dltf.plugin.Component, not {item!r}")
    return item


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _explain(error: BaseException, module: object) -> str:
    """Name the misspelt hook where there is one, and the nearest that exists."""
    known = [name for name in vars(hookspecs) if name.startswith("dltf_")]
    names = vars(module) if isinstance(module, ModuleType) else ()
    strange = [name for name in names if name not in known and hasattr(vars(module)[name], "dltf_impl")]
    if strange:
        return "; ".join(f'there is no hook "{name}"{nearest(name, known)}' for name in strange)
    return _told(error)
