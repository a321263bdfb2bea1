"""The table of contents of the extension world.

A *shelf* takes no argument and returns a list of components. A *moment* observes a campaign in the process that
coordinates it. Nothing else is hooked; what a loaded component has to do is in `dltf.contracts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dltf.component import Component
    from dltf.values import CampaignProgress, CampaignStarted, Finding

PROJECT = "dltf"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- shelves -----------------------------------------------------------------------------------------------------


@hookspec
def dltf_domains() -> list[Component]:  # type: ignore[empty-body]
    """Kinds of input: image, speech, … Each loads to a `contracts.Domain`."""


@hookspec
def dltf_seed_sources() -> list[Component]:  # type: ignore[empty-body]
    """Folders, arrays, public data sets. Each loads to a `contracts.SeedSource`."""


@hookspec
def dltf_model_backends() -> list[Component]:  # type: ignore[empty-body]
    """Runtimes with their targets. Each loads to a `contracts.ModelBackend`."""


@hookspec
def dltf_converters() -> list[Component]:  # type: ignore[empty-body]
    """From one model file to another: formats, precisions, pruning. Each loads to a `contracts.Converter`."""


@hookspec
def dltf_decoders() -> list[Component]:  # type: ignore[empty-body]
    """From raw outputs to observations: classes, … Each loads to a `contracts.Decoder`."""


@hookspec
def dltf_mutation_operators() -> list[Component]:  # type: ignore[empty-body]
    """Changes to an input of one domain. Each loads to a `contracts.MutationOperator`."""


@hookspec
def dltf_operator_presets() -> list[Component]:  # type: ignore[empty-body]
    """Named sets of operators, as a paper used them. Each loads to a `contracts.OperatorPreset`."""


@hookspec
def dltf_oracles() -> list[Component]:  # type: ignore[empty-body]
    """What counts as a deviation. Each loads to a `contracts.Oracle`."""


@hookspec
def dltf_search_strategies() -> list[Component]:  # type: ignore[empty-body]
    """Ways to look for deviations. Each loads to a `contracts.SearchStrategy`."""


@hookspec
def dltf_generators() -> list[Component]:  # type: ignore[empty-body]
    """Generative models: samples to codes and back. Each loads to a `contracts.Generator`."""


@hookspec
def dltf_repair_heads() -> list[Component]:  # type: ignore[empty-body]
    """What corrects a candidate's answers. Each loads to a `contracts.RepairHead`."""


@hookspec
def dltf_commands() -> list[Component]:  # type: ignore[empty-body]
    """Verbs of the command line beside the host's own. Each loads to a `click.Command` that is given a `Workbench`."""


# --- moments -----------------------------------------------------------------------------------------------------


@hookspec
def dltf_campaign_started(started: CampaignStarted) -> None:
    """A campaign begins, or goes on after a resume."""


@hookspec
def dltf_campaign_progressed(progress: CampaignProgress) -> None:
    """Some time has passed (a few calls a second at most)."""


@hookspec
def dltf_finding_confirmed(finding: Finding) -> None:
    """A finding held when it was judged again, alone."""


@hookspec
def dltf_campaign_finished(summary: dict[str, object]) -> None:
    """The campaign is over, or was interrupted; `summary` is what `summary.json` holds."""


SHELVES: dict[str, str] = {
    "dltf_domains": "domain",
    "dltf_seed_sources": "seed source",
    "dltf_model_backends": "model backend",
    "dltf_converters": "converter",
    "dltf_decoders": "decoder",
    "dltf_mutation_operators": "mutation operator",
    "dltf_operator_presets": "operator preset",
    "dltf_oracles": "oracle",
    "dltf_search_strategies": "search strategy",
    "dltf_generators": "generator",
    "dltf_repair_heads": "repair head",
    "dltf_commands": "command",
}
"""The shelves: the hook's name, and what one thing on it is called."""
