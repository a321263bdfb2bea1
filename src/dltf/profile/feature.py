"""The profile of feature-level tests: a generator, what it is measured on, what is tested, and who judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen, validators

from dltf.errors import ProfileError, nearest
from dltf.profile import model
from dltf.profile.read import DEFAULT_ORACLE, Reader
from dltf.profile.resolve import VARIANTS
from dltf.profile.source import load, override
from dltf.profile.structure import show

if TYPE_CHECKING:
    from attrs import Attribute

    from dltf.contracts import Domain, Generator, Oracle, SeedSource
    from dltf.host import Host

TABLES = (
    "campaign", "domain", "seeds", "reference", "generator", "generate", "validity", "models", "judges", "oracle",
    "gate",
)  # fmt: skip
ROLES = ("check", "measure")
NEEDED = ("seeds", "reference", "generator", "models")  # for tests to be generated

Method = Literal["ball", "sphere", "bridge", "search", "posterior"]
Norm = Literal["l1", "l2", "linf"]

FIGURES: Mapping[str, str] = {
    "accepted": "seeds that passed the screen",
    "confirmed": "failures that passed every check, and whose label all measuring judges confirm",
    "confirmed_seeds_share": "seeds with a confirmed failure ÷ seeds accepted",
    "failures": "tests that the model under test fails, or on which the pair differs",
    "label_kept": "the share of tests whose label all measuring judges confirm",
    "precision": "confirmed failures ÷ failures that passed every check",
    "tests": "generated tests",
    "valid_share": "the share of tests that passed every check",
}
"""The figures of each method that a gate can be set on."""


def _share(_: object, attribute: Attribute[Any], share: float | Literal[False]) -> None:
    if share is not False and not 0.0 <= share <= 1.0:
        raise ValueError(f"'{attribute.name}' must be in [0, 1], or false: {share}")


@frozen
class GenerateTable:
    """`[generate]`."""

    methods: tuple[Method, ...] = field(  # how tests are made, each by itself
        default=("ball",), validator=validators.min_len(1)
    )
    tests: int = field(default=40, validator=validators.ge(1))  # for each seed and method; of `search`: its queries
    norm: Norm = "l2"  # of distances between codes, to measure and to generate
    radius: Literal["seed", "global", "trimmed"] = "seed"  # ρ of each seed; r, the least of all; or its quantile `trim`
    reach: float = field(  # the share of the radius that tests go to
        default=0.95, validator=validators.and_(validators.gt(0.0), validators.lt(1.0))
    )
    ladder: tuple[float, ...] = ()  # shares of the radius for `ball` in turn; empty: uniform in the ball
    trim: float = field(default=0.01, validator=validators.and_(validators.ge(0.0), validators.lt(1.0)))
    suspects: int = field(default=50, validator=validators.ge(0))  # smallest distances that are listed
    exclude_suspects: bool = False  # from the reference codes, and so from every radius
    choose: Literal["random", "density", "margin", "both"] = "random"  # which of the accepted seeds come first
    seeds: int | None = field(  # of the accepted seeds, so many at most; None: all of them
        default=None, validator=validators.optional(validators.gt(0))
    )
    keep: Literal["failures", "all"] = "failures"  # the tests whose pictures are kept


@frozen
class ValidityTable:
    """`[validity]`: the checks that a test has to pass; each can be switched off by `false`."""

    label: bool = True  # V1: its own code, and that of its re-encoding, lie nearest to its label
    cycle: float | Literal[False] = field(  # V2: the quantile of the held-out cycle error that bounds it
        default=0.99, validator=_share
    )
    density: float | Literal[False] = field(  # V3: the quantile of held-out densities that it has to reach
        default=0.01, validator=_share
    )
    reconstruction: float | Literal[False] = field(  # V4: the quantile of held-out reconstruction errors that bounds it
        default=0.99, validator=_share
    )
    judges: bool = True  # V5: all judges of [judges.check] keep the label
    sure: float | Literal[False] = field(  # V5: and are as sure as this quantile of held-out reconstructions makes them
        default=0.1, validator=_share
    )
    distinct: bool = True  # V6: finite, in range, and neither its seed nor another test again


@frozen
class FeatureProfile:
    """A profile that fits: every name found, every setting checked, nothing heavy loaded.

    `models` holds "candidate", and "reference" where a pair is tested. `judges["check"]` belong to the validity checks,
    `judges["measure"]` measure; both by name.
    """

    campaign: model.CampaignTable
    domain: Domain
    seeds: model.SeedsTable
    seed_source: SeedSource
    reference: model.SeedsTable | None  # None, like `seeds`, where the caller can do without and it is missing
    reference_source: SeedSource | None
    generator: Generator
    generator_name: str
    generate: GenerateTable
    validity: ValidityTable
    models: Mapping[str, model.Variant]
    judges: Mapping[str, Mapping[str, model.Variant]]
    oracle: Oracle
    gates: tuple[model.Gate, ...]
    tables: Mapping[str, Any] = field(eq=False, repr=False)  # as written, for the record

    @property
    def samples(self) -> tuple[model.SeedsTable, SeedSource | None]:
        """What a generator is trained on: the reference, or the seeds where there is none."""
        if self.reference is None or self.reference_source is None:
            return self.seeds, self.seed_source
        return self.reference, self.reference_source


def read_feature(
    file: Path, host: Host, overrides: Iterable[str] = (), *, needs: Iterable[str] = NEEDED, models: bool = True
) -> FeatureProfile:
    """Read a profile of feature-level tests; raise one `ProfileError` with all complaints.

    `needs` names the tables that the caller cannot do without; what is missing beside is None, or empty. Without
    `models`, those under test and judges are not looked at: their files may be made later.
    """
    return _FeatureReader(override(load(file), overrides), host).feature(frozenset(needs), models=models)


class _FeatureReader(Reader):
    def feature(self, needs: frozenset[str], *, models: bool) -> FeatureProfile:
        for key in self._tree.tables:
            if key not in TABLES:
                self._complain((key,), f"there is no such table{nearest(key, TABLES)}")
        campaign = self._whole(model.CampaignTable, "campaign")
        named = str(self._table("campaign").get("domain", ""))
        domain = self._domain(named)
        sources = [self._seeds(named, name) if self._has(name, needs) else (None, None) for name in _SAMPLES]
        generator = self._generator() if self._has("generator", needs) else None
        table = self._settings(GenerateTable, ("generate",), self._table("generate"))
        validity = self._settings(ValidityTable, ("validity",), self._table("validity"))
        tested = self._tested(domain) if models and self._has("models", needs) else {}
        judges = {role: self._judges(role, domain) if models else {} for role in ROLES}
        oracle = self._oracle(("oracle",), self._table("oracle") or DEFAULT_ORACLE)
        gates = self._gates(table)
        for role in sorted(set(self._table("judges")) - set(ROLES)):
            self._complain(("judges", role), f"there is no such table{nearest(role, ROLES)}")
        self._apart(judges)
        if self._complaints:
            raise ProfileError(self._complaints)
        return FeatureProfile(
            campaign=campaign,  # type: ignore[arg-type]  # what could not be read was complained about
            domain=domain,
            seeds=sources[0][0],  # type: ignore[arg-type]
            seed_source=sources[0][1],  # type: ignore[arg-type]
            reference=sources[1][0],
            reference_source=sources[1][1],
            generator=generator,  # type: ignore[arg-type]
            generator_name=str(self._table("generator").get("use", "")),
            generate=table,  # type: ignore[arg-type]
            validity=validity,  # type: ignore[arg-type]
            models=tested,
            judges=judges,
            oracle=oracle,
            gates=tuple(gates),
            tables=self._tree.tables,
        )

    def _has(self, name: str, needs: frozenset[str]) -> bool:
        return name in self._tree.tables or name in needs

    def _generator(self) -> Generator | None:
        found: Generator | None = self._used("dltf_generators", ("generator",), self._table("generator", needed=True))
        return found

    def _tested(self, domain: Any) -> dict[str, model.Variant]:
        tables = self._table("models", needed=True)
        for key in sorted(set(tables) - set(VARIANTS)):
            self._complain(("models", key), f"there is no such table{nearest(key, VARIANTS)}")
        if "models" in self._tree.tables and "candidate" not in tables:
            self._complain(("models", "candidate"), " is missing: it is the model under test")
        return self._each(("models",), {name: tables[name] for name in VARIANTS if name in tables}, domain)

    def _judges(self, role: str, domain: Any) -> dict[str, model.Variant]:
        tables = self._table("judges").get(role, {})
        if not isinstance(tables, dict):
            self._complain(("judges", role), f"expected a table for each judge, [judges.{role}.NAME]")
            return {}
        return self._each(("judges", role), tables, domain)

    def _each(self, at: tuple[str, ...], tables: Mapping[str, Any], domain: Any) -> dict[str, model.Variant]:
        read = {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                self._complain((*at, name), "expected a table")
                continue
            variant = self._model((*at, name), table, domain)
            if variant is not None:
                read[name] = variant
        return read

    def _gates(self, generate: GenerateTable | None) -> list[model.Gate]:
        """Read `[gate.METHOD]`: bounds on the figures of each method."""
        gates = []
        methods = generate.methods if generate is not None else ()
        for method, figures in self._table("gate").items():
            if method not in methods or not isinstance(figures, dict):
                self._complain(("gate", method), f"is no method of generate.methods{nearest(method, methods)}")
                continue
            for figure, bounds in figures.items():
                at = ("gate", method, figure)
                if figure not in FIGURES:
                    self._complain(at, f"there is no such figure{nearest(figure, FIGURES)}")
                elif not isinstance(bounds, dict) or not bounds or set(bounds) - {"at_least", "at_most"}:
                    self._complain(at, f" = {show(bounds)}: expected a bound, for example {{ at_least = 0.99 }}")
                else:
                    gate = self._settings(model.Gate, at, {"figure": f"{method}.{figure}"} | bounds)
                    gates += [gate] if gate is not None else []
        return gates

    def _apart(self, judges: Mapping[str, Mapping[str, model.Variant]]) -> None:
        """Complain of a judge that measures what it has checked."""
        files = {one.table.file: name for name, one in judges["check"].items() if one.table.file}
        for name, one in judges["measure"].items():
            if one.table.file in files:
                told = f"is the same model as judges.check.{files[one.table.file]}: one that checks cannot measure, too"
                self._complain(("judges", "measure", name, "file"), told)


_SAMPLES = ("seeds", "reference")
