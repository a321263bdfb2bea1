"""From a merged tree to a checked profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from dltf.errors import DltfError, ModelFileError, ProfileError, nearest
from dltf.feed import Feed
from dltf.joining import Joined
from dltf.profile import model, source
from dltf.profile.backends import PYTHON, backend_of, seeds_only, wrong_file
from dltf.profile.gates import read_gates
from dltf.profile.resolve import VARIANTS, keys, numbered, plain, resolved, split
from dltf.profile.structure import show, structure, unstructure
from dltf.repaired.record import read_repair

if TYPE_CHECKING:
    from dltf.contracts import Domain
    from dltf.host import Host
    from dltf.profile.source import Tree

    Table = dict[str, Any]

T = TypeVar("T")
TABLES = (
    *("campaign", "domain", "seeds", "models", "search", "paths", "shrink", "amplify", "operators", "oracle"),
    "gate",
)

# The host's own keys in tables that also hold a component's settings: they count when a misspelt key gets the nearest.
_HOSTS_OWN: dict[tuple[str, ...], tuple[str, ...]] = {
    ("seeds",): keys(model.SeedsTable),
    ("reference",): keys(model.SeedsTable),
    ("search",): keys(model.SearchTable),
    ("paths",): keys(model.PathsTable),
    **{("models", role): (*keys(model.ModelTable), "input", "output", "feed") for role in VARIANTS},
}

DEFAULT_ORACLE = {"use": "top_label"}
_SHARING = ("dltf_seed_sources", "dltf_mutation_operators", "dltf_operator_presets", "dltf_model_backends")


def read_profile(file: Path, host: Host, overrides: Iterable[str] = ()) -> model.Profile:
    """Read a profile file; raise one `ProfileError` with all complaints."""
    return read_tree(source.override(source.load(file), overrides), host)


def read_domain(tree: Tree, host: Host) -> Domain:
    """Read the campaign's domain alone, for what needs neither its models nor its seeds."""
    return Reader(tree, host).domain_alone()


def read_oracle(tree: Tree, host: Host) -> Any:
    """Read the campaign's oracle alone."""
    return Reader(tree, host).oracle_alone()


def read_tree(tree: Tree, host: Host) -> model.Profile:
    """Check a merged tree; raise one `ProfileError` with all complaints."""
    return Reader(tree, host).profile()


class Reader:
    """Reads one tree, and goes on after a complaint so that all of them come at once."""

    def __init__(self, tree: Tree, host: Host) -> None:
        self._tree = tree
        self._host = host
        self._complaints: list[str] = []
        self._operator_tables: list[Table] = []
        self._shared: Table = {}  # the domain's settings: defaults of its components' settings of the same names

    def profile(self) -> model.Profile:
        for key in self._tree.tables:
            if key not in TABLES:
                self._complain((key,), f"there is no such table{nearest(key, TABLES)}")
        campaign = self._whole(model.CampaignTable, "campaign")
        domain_name = str(self._table("campaign").get("domain", ""))
        domain = self._domain(domain_name)
        seeds, seed_source = self._seeds(domain_name)
        variants = [self._variant(name, domain) for name in VARIANTS]
        search, strategy = self._search()
        paths = self._paths(strategy) if "paths" in self._tree.tables else None
        shrink = self._settings(model.ShrinkTable, ("shrink",), self._table("shrink"))
        amplify = self._settings(model.AmplifyTable, ("amplify",), self._table("amplify"))
        operators = self._operators(domain_name)
        searches = search is None or search.max_queries > 0
        if strategy is not None and searches and strategy.needs_operators and not operators and not self._complaints:
            self._complain(("operators",), f"the search needs operators{self._operator_advice(domain_name)}")
        asking = ["search.max_queries"] if search is not None and search.max_queries else []
        asking += [f"{name}.queries" for name, one in (("shrink", shrink), ("amplify", amplify)) if one and one.queries]
        self._only_seeds(variants, asking)
        oracle = self._oracle(("oracle",), self._table("oracle") or DEFAULT_ORACLE)
        units = domain.geometry.units if domain is not None else ()
        gates = read_gates(self._table("gate"), units, self._complain, self._settings)
        if self._complaints:
            raise ProfileError(self._complaints)
        reference, candidate = variants
        # Nothing is None from here on: what could not be read was complained about.
        parts = model.Profile(
            campaign=campaign,  # type: ignore[arg-type]
            domain=domain,
            seeds=seeds,  # type: ignore[arg-type]
            seed_source=seed_source,
            reference=reference,  # type: ignore[arg-type]
            candidate=candidate,  # type: ignore[arg-type]
            search=search,  # type: ignore[arg-type]
            strategy=strategy,
            paths=paths,
            shrink=shrink,  # type: ignore[arg-type]
            amplify=amplify,  # type: ignore[arg-type]
            operators=tuple(operators),
            oracle=oracle,
            gates=tuple(gates),
            tree={},
        )
        return attrs.evolve(parts, tree=resolved(parts, self._tree.tables, self._operator_tables))

    def domain_alone(self) -> Domain:
        domain = self._domain(str(self._table("campaign", needed=True).get("domain", "")))
        if self._complaints or domain is None:
            raise ProfileError(self._complaints or ["campaign.domain is missing"])
        found: Domain = domain
        return found

    def oracle_alone(self) -> Any:
        oracle = self._oracle(("oracle",), self._table("oracle") or DEFAULT_ORACLE)
        if self._complaints:
            raise ProfileError(self._complaints)
        return oracle

    # --- one method a table ------------------------------------------------------------------------------------

    def _domain(self, name: str) -> Any:
        if not name:
            return None
        domain = self._component("dltf_domains", name, ("campaign", "domain"), ("domain",), self._table("domain"))
        self._shared = plain(domain)
        return domain

    def _seeds(self, domain: str, name: str = "seeds") -> tuple[model.SeedsTable | None, Any]:
        own, rest = split(self._table(name, needed=True), model.SeedsTable)
        if name not in self._tree.tables:
            return None, None
        settings = self._settings(model.SeedsTable, (name,), own)
        if "use" not in own or not isinstance(own["use"], str):
            return settings, None
        return settings, self._named("dltf_seed_sources", own["use"], (name,), rest, domain)

    def _variant(self, name: str, domain: Any) -> model.Variant | None:
        at = ("models", name)
        models = self._table("models", needed=name == VARIANTS[0])
        for key in sorted(set(models) - set(VARIANTS)) if name == VARIANTS[0] else ():
            self._complain(("models", key), f"there is no such table{nearest(key, VARIANTS)}")
        table = models.get(name)
        if not isinstance(table, dict):
            if "models" in self._tree.tables:
                self._complain(at, "is missing" if table is None else f" = {show(table)}: expected a table")
            return None
        return self._model(at, table, domain)

    def _model(self, at: tuple[str, ...], table: Table, domain: Any) -> model.Variant | None:
        own, rest = split(dict(table), model.ModelTable)
        inputs, outputs, fed = (self._inner(rest, at, key) for key in ("input", "output", "feed"))
        if "backend" not in own:
            named, wrong = backend_of(own | rest, self._host)
            if named is None:
                self._complain((*at, "backend"), wrong)
            else:
                own["backend"] = named
        settings = self._settings(model.ModelTable, at, own) if "backend" in own else None
        backend = None
        if isinstance(own.get("backend"), str):
            if own["backend"] == PYTHON:
                rest.setdefault("path", ".")  # modules beside the profile are found
            backend = self._component("dltf_model_backends", own["backend"], (*at, "backend"), at, rest)
        misfiled = None if settings is None else wrong_file(settings, backend)
        if misfiled is not None:
            self._complain((*at, "file"), misfiled)
        prepared = self._settings(domain.tensors.settings, (*at, "input"), inputs) if domain is not None else None
        decoder = self._used("dltf_decoders", (*at, "output"), {"use": "classes"} | outputs)
        feeds = self._feeds((*at, "feed"), fed)
        repairing = None if settings is None else self._repairing(settings.repair, (*at, "repair"))
        if settings is None:
            return None
        return model.Variant(settings, backend, prepared, decoder, feeds, repairing)  # type: ignore[arg-type]  # complained about

    def _repairing(self, file: Path | None, at: tuple[str, ...]) -> model.Repairing | None:
        """Read a repair, and find the component that loads its head; nothing is loaded yet."""
        if file is None:
            return None
        try:
            repair = read_repair(file)
        except ModelFileError as error:
            self._complain(at, f": {error.message}; {error.hint}")
            return None
        component = self._component("dltf_repair_heads", repair.use, at, at, dict(repair.settings))
        return None if component is None else model.Repairing(repair, component)

    def _feeds(self, at: tuple[str, ...], table: Table) -> dict[str, Feed]:
        feeds = {}
        for name, given in table.items():
            described = given if isinstance(given, dict) else {"value": given}
            feed = self._settings(Feed, (*at, name), described)
            if feed is not None:
                feeds[name] = feed
        return feeds

    def _search(self) -> tuple[model.SearchTable | None, Any]:
        own, rest = split(self._table("search"), model.SearchTable)
        settings = self._settings(model.SearchTable, ("search",), own)
        name = own.get("use", model.SearchTable().use)
        return settings, self._used("dltf_search_strategies", ("search",), {"use": name} | rest)

    def _paths(self, strategy: Any) -> model.LatentPaths | None:
        own, rest = split(self._table("paths"), model.PathsTable)
        settings = self._settings(model.PathsTable, ("paths",), own) if "use" in own else None
        generator = self._used("dltf_generators", ("paths",), rest | {key: own[key] for key in own if key == "use"})
        if strategy is not None and not getattr(strategy, "takes_paths", False):
            used = self._table("search").get("use", model.SearchTable().use)
            told = f' = {show(used)}: this strategy follows no paths; use "bracket", or leave [paths] out'
            self._complain(("search", "use"), told)
        if settings is None or generator is None:
            return None
        return model.LatentPaths(settings, generator)

    def _operators(self, domain: str) -> list[model.NamedOperator]:
        entries = self._tree.tables.get("operators", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._complain(("operators",), "write each operator as a table of its own: [[operators]]")
            return []
        named: list[model.NamedOperator] = []
        for position, entry in enumerate(entries):
            at = ("operators", str(position))
            if "preset" in entry:
                rest = {key: value for key, value in entry.items() if key != "preset"}
                preset = self._named("dltf_operator_presets", entry["preset"], at, rest, domain, key="preset")
                operators = preset.operators() if preset is not None else {}
                self._operator_tables.append({"preset": entry["preset"]} | (unstructure(preset) or {}))
            elif "use" in entry:
                rest = {key: value for key, value in entry.items() if key != "use"}
                operator = self._named("dltf_mutation_operators", entry["use"], at, rest, domain)
                operators = {entry["use"]: operator} if operator is not None else {}
                self._operator_tables.append({"use": entry["use"]} | (unstructure(operator) or {}))
            else:
                self._complain(at, f"names no operator{self._operator_advice(domain)}")
                continue
            named += [model.NamedOperator(name, operator) for name, operator in operators.items()]
        return numbered(named)

    def _oracle(self, at: tuple[str, ...], table: Table) -> Any:
        rules: tuple[Literal["all", "any"], ...] = ("all", "any")
        for rule in rules:
            if rule not in table:
                continue
            parts = table[rule]
            if len(table) > 1 or not isinstance(parts, list) or len(parts) < 2:
                self._complain((*at, rule), "takes a list of two or more oracles, and no key beside it")
                return None
            inner = [self._oracle((*at, rule, str(i)), part) for i, part in enumerate(parts) if isinstance(part, dict)]
            if len(inner) < len(parts):
                self._complain((*at, rule), 'each oracle is a table: { use = "top_label" }')
            return Joined(tuple(inner), rule)
        return self._used("dltf_oracles", at, table)

    def _only_seeds(self, variants: Iterable[model.Variant | None], asking: Iterable[str]) -> None:
        """Complain of the keys that ask a variant about other samples than seeds, where it has no answers to them."""
        zeros = " and ".join(f"{key} = 0" for key in asking)
        for role, variant in zip(VARIANTS, variants, strict=True):
            if variant is not None and zeros and seeds_only(variant.backend):
                told = f": recorded outputs answer for seeds alone; set {zeros} (dltf compare: --queries 0)"
                self._complain(("models", role, "file"), told)

    # --- shared ------------------------------------------------------------------------------------------------

    def _named(
        self, hook: str, name: object, at: tuple[str, ...], rest: Table, domain: str, *, key: str = "use"
    ) -> Any:
        """Build a component that belongs to the campaign's domain."""
        if isinstance(name, str) and domain and not name.startswith(f"{domain}.") and name in self._names(hook):
            self._complain((*at, key), f' = {show(name)}: belongs to another domain than "{domain}"')
            return None
        return self._component(hook, name, (*at, key), at, rest)

    def _used(self, hook: str, at: tuple[str, ...], table: Table) -> Any:
        rest = {key: value for key, value in table.items() if key != "use"}
        if "use" not in table:
            self._complain((*at, "use"), f"is missing{nearest('', self._names(hook))}")
            return None
        return self._component(hook, table["use"], (*at, "use"), at, rest)

    def _component(self, hook: str, name: object, named_at: tuple[str, ...], at: tuple[str, ...], table: Table) -> Any:
        if not isinstance(name, str):
            self._complain(named_at, f" = {show(name)}: expected a string")
            return None
        try:
            cls = self._host.find(hook, name).load()
        except DltfError as error:
            if error.exit_status != DltfError.exit_status:
                raise
            self._complain(named_at, f": {error.message}{'; ' if error.hint else ''}{error.hint}{self._absent(name)}")
            return None
        if hook in _SHARING and attrs.has(cls):
            named = {field.name for field in attrs.fields(cls)}
            table = {key: value for key, value in self._shared.items() if key in named} | table
        return self._settings(cls, at, table)

    def _settings(self, cls: type[T], at: tuple[str, ...], table: Table) -> T | None:
        settings, wrong = structure(cls, table, lambda key: self._tree.folder((*at, key)), _HOSTS_OWN.get(at, ()))
        for below, message in wrong:
            self._complain((*at, *below), message)
        checked: T | None = settings
        return checked

    def _whole(self, cls: type[T], name: str) -> T | None:
        """Read a table that has to be there and is all of one class."""
        table = self._table(name, needed=True)
        return self._settings(cls, (name,), table) if name in self._tree.tables else None

    def _table(self, name: str, *, needed: bool = False) -> Table:
        table = self._tree.tables.get(name)
        if table is None:
            if needed:
                self._complain((name,), f"the table [{name}] is missing")
            return {}
        if not isinstance(table, dict):
            self._complain((name,), f" = {show(table)}: expected a table, [{name}]")
            return {}
        return table

    def _inner(self, table: Table, at: tuple[str, ...], key: str) -> Table:
        inner = table.pop(key, {})
        if isinstance(inner, dict):
            return inner
        self._complain((*at, key), f" = {show(inner)}: expected a table")
        return {}

    def _names(self, hook: str) -> Mapping[str, object]:
        return self._host.shelves[hook].items

    def _absent(self, name: str) -> str:
        plugins = {failure.plugin for failure in self._host.failures}
        if name.partition(".")[0] in plugins or plugins:
            return f" (plugins that failed: {', '.join(sorted(plugins))}; see dltf plugins)"
        return ""

    def _operator_advice(self, domain: str) -> str:
        names = [name for name in self._names("dltf_operator_presets") if name.startswith(f"{domain}.")]
        if names:
            return f"; add [[operators]] with preset = {show(sorted(names)[0])}, or with use = one of dltf plugins"
        return "; add [[operators]] with use = one of those that dltf plugins lists"

    def _complain(self, at: tuple[str, ...], message: str) -> None:
        separator = "" if message[:1] in (":", " ") else ": "
        text = f"{self._tree.told_by(at)}: {'.'.join(at)}{separator}{message}"
        if text not in self._complaints:
            self._complaints.append(text)
