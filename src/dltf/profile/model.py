"""What a profile says, in typed values."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen, validators

from dltf.feed import Feed

if TYPE_CHECKING:
    from attrs import Attribute

    from dltf.contracts import (
        Decoder,
        Domain,
        Generator,
        ModelBackend,
        MutationOperator,
        Oracle,
        RepairHead,
        SearchStrategy,
        SeedSource,
    )
    from dltf.repaired.record import Repair

_positive = validators.optional(validators.gt(0))

FIGURES: Mapping[str, str] = {
    "accuracy_candidate": "the share of labelled seeds that the candidate answers right",
    "accuracy_drop": "accuracy of the reference − of the candidate",
    "accuracy_reference": "the share of labelled seeds that the reference answers right",
    "amplified_severity_median": "severity of the amplified findings in nats, median; 0 where nothing was found",
    "amplified_severity_p95": "the same, 95th percentile",
    "amplified_severity_worst": "the same, largest",
    "crashes": "findings on which a runtime failed",
    "duplicates": "searched findings whose bytes another one has, too",
    "findings": "confirmed findings, natural ones included",
    "natural_rate": "the share of seeds that differ as they are",
    "near_ties": "deviations of the grade near tie",
    "nonfinite": "findings with a NaN or infinite output",
    "queries_max": "queries to a finding, largest",
    "queries_mean": "queries to a finding, mean",
    "queries_median": "queries to a finding, median",
    "regressions": "deviations of the grade regression: the reference was right and sure",
    "seconds": "wall time of the run",
    "severity_median": "severity of the deviations in nats, median; 0 where there are none",
    "severity_p95": "the same, 95th percentile",
    "severity_worst": "the same, largest",
    "shrunk_distance_median": "the first distance between shrunk findings and their seeds, median",
    "skipped": "seeds that could not be read, or do not fit",
    "success_rate": "found ÷ searched",
    "ties": "judgements, of seeds and searched findings, that leaned on how a tie was broken",
    "unconfirmed": "deviations that did not hold when judged alone",
}
"""The figures of a run that a gate can be set on; beside them, `distance_NAME_mean` and `distance_NAME_median`."""

SLICED: tuple[str, ...] = (
    "accuracy_candidate",
    "accuracy_drop",
    "accuracy_reference",
    "findings",
    "natural_rate",
    "near_ties",
    "queries_median",
    "regressions",
    "severity_median",
    "severity_p95",
    "severity_worst",
    "success_rate",
)
"""The figures that are there for each slice, too."""


@frozen
class CampaignTable:
    """`[campaign]`."""

    name: str = field(validator=validators.min_len(1))  # names the run's folder
    domain: str  # the kind of input: "image"
    seed: int = field(default=0, validator=validators.ge(0))  # of every random choice
    batch: int | None = field(default=None, validator=_positive)  # inputs a turn; None: the quickest, by a trial
    concurrent: bool = True  # both variants at once
    isolate: bool = False  # each runtime in a process of its own, which may crash or hang
    call_timeout_s: float = field(default=60.0, validator=validators.gt(0.0))  # of an isolated runtime, for each batch


@frozen
class SeedsTable:
    """`[seeds]`, beside the settings of the source itself."""

    use: str  # a seed source
    count: int | None = field(default=None, validator=_positive)  # None: all of them
    order: Literal["shuffled", "given"] = "shuffled"  # shuffled by the campaign's seed


@frozen
class ModelTable:
    """`[models.reference]` or `[models.candidate]`, beside the settings of the backend itself."""

    backend: str  # the runtime; may be left out where the file's suffix tells
    file: Path | None = None  # the model; ${NAME} stands for an environment variable
    target: str | None = None  # where and how to run it; None: the backend's first
    repair: Path | None = None  # the repair.json that dltf repair wrote: its head corrects the model's answers


@frozen
class SearchTable:
    """`[search]`, beside the settings of the strategy itself."""

    use: str = "bracket"  # a search strategy
    max_queries: int = field(default=1000, validator=validators.ge(0))  # for each seed
    timeout_s: float | None = field(default=None, validator=_positive)  # for each seed


@frozen
class ShrinkTable:
    """`[shrink]`."""

    queries: int = field(default=0, validator=validators.ge(0))  # for each finding, at most; 0: findings stay as found
    keep_answers: bool = False  # both answers stay those of the finding


@frozen
class AmplifyTable:
    """`[amplify]`."""

    queries: int = field(default=0, validator=validators.ge(0))  # for each finding; 0: findings stay as found
    room: float = field(  # beyond the finding's own distance, in the unit of the domain's first one
        default=16.0, validator=validators.and_(validators.ge(0.0), validators.lt(float("inf")))
    )
    findings: int | None = field(default=None, validator=_positive)  # the most severe ones alone; None: all of them


@frozen
class PathsTable:
    """`[paths]`, beside the settings of the generator itself."""

    use: str  # a generator: paths from seed to seed lead through its codes
    seeds: Literal["originals", "reconstructions"] = "originals"  # or what its decoder makes of their codes
    neighbours: Literal["latent", "samples"] = "latent"  # by the distance of codes, or as without this table


def _finite(_: object, attribute: Attribute[Any], bound: float | None) -> None:
    if bound is not None and not isfinite(bound):
        raise ValueError(f"'{attribute.name}' must be a finite number: {bound}")


@frozen
class Gate:
    """A bound on one figure of the summary, or on that figure of each slice."""

    figure: str  # the key itself
    at_least: float | None = field(default=None, validator=_finite)
    at_most: float | None = field(default=None, validator=_finite)
    slice: str | None = field(
        default=None, validator=validators.optional(validators.min_len(1))
    )  # "label", or a column of the seeds: the bound is on each of its values
    fewest: int = field(default=10, validator=validators.ge(1))  # seeds that a slice needs to be judged

    def __attrs_post_init__(self) -> None:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least = {self.at_least:g} is above at_most = {self.at_most:g}: nothing is in between")


@frozen
class NamedOperator:
    """An operator and the name that it goes by in this campaign."""

    name: str
    operator: MutationOperator


@frozen
class Repairing:
    """A repair, and the component that reads its head."""

    repair: Repair
    component: RepairHead


@frozen
class Variant:
    """One system under test, as the profile describes it."""

    table: ModelTable
    backend: ModelBackend
    input: Any  # the domain's settings
    decoder: Decoder
    feeds: Mapping[str, Feed] = field(factory=dict)
    repairing: Repairing | None = None

    @property
    def name(self) -> str:
        """What people call it: its file's name, or else what the backend calls it."""
        called = self.table.file.name if self.table.file is not None else str(self.backend)
        return called if self.repairing is None else f"{called} (repaired)"


@frozen
class LatentPaths:
    """Paths between seeds through the codes of a generator."""

    table: PathsTable
    generator: Generator


@frozen
class Profile:
    """A profile that fits: every name found, every setting checked, nothing heavy loaded."""

    campaign: CampaignTable
    domain: Domain
    seeds: SeedsTable
    seed_source: SeedSource
    reference: Variant
    candidate: Variant
    search: SearchTable
    strategy: SearchStrategy
    paths: LatentPaths | None  # None: as the domain has them
    shrink: ShrinkTable
    amplify: AmplifyTable
    operators: tuple[NamedOperator, ...]
    oracle: Oracle
    gates: tuple[Gate, ...]
    tree: Mapping[str, Any] = field(eq=False, repr=False)  # the profile again, defaults filled in, paths absolute
