"""`dltf plugins`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.component import Component
    from dltf.host import Host


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--targets", is_flag=True, help="Also list each runtime's targets, and why one is not usable here.")
def command(as_json: bool, targets: bool) -> int:
    """List plugins, what they offer, and what is wrong with them.

    Exits with 3 where a plugin, or something of it, could not be used; each is named with its cause.
    """
    from dltf.host import Host

    host = Host()
    facts = _facts(host)
    if targets:
        facts["targets"] = {
            shelved.component.name: _targets(shelved.component) for shelved in host.shelves["dltf_model_backends"]
        }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(facts)
    return 3 if host.failures else 0


def _facts(host: Host) -> dict[str, Any]:
    return {
        "plugins": [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in host.plugins
        ],
        "components": {
            shelf.kind: [
                {"name": shelved.component.name, "summary": shelved.component.summary, "from": shelved.owner}
                for shelved in shelf
            ]
            for shelf in host.shelves.values()
        },
        "failures": [
            {"plugin": failure.plugin, "distribution": failure.distribution, "cause": failure.cause}
            for failure in host.failures
        ],
    }


def _targets(component: Component) -> list[dict[str, Any]]:
    from dltf.errors import DltfError

    try:
        targets = component.load()().targets()
    # One plugin's backend may fail in any way, and the others are to be listed.
    except (DltfError, Exception) as error:
        return [{"name": "(none)", "summary": "", "usable": False, "why_not": str(error)}]
    return [
        {"name": target.name, "summary": target.summary, "usable": target.usable, "why_not": target.why_not}
        for target in targets
    ]


def _print(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    console.print("[bold]plugins[/bold]")
    for plugin in facts["plugins"]:
        console.print(f"  {plugin['name']}  ({plugin['distribution']} {plugin['version']})", markup=False)
    for kind, components in facts["components"].items():
        if components:
            console.print(f"\n[bold]{kind[:-1] + 'ies' if kind.endswith('y') else kind + 's'}[/bold]")
        width = max((len(component["name"]) for component in components), default=0)
        for component in components:
            console.print(f"  {component['name']:{width}}  {component['summary']}", markup=False)
    for backend, targets in facts.get("targets", {}).items():
        console.print(f"\n[bold]targets of {escape(backend)}[/bold]")
        width = max(len(target["name"]) for target in targets)
        for target in targets:
            state = "usable" if target["usable"] else f"not here: {target['why_not']}"
            console.print(f"  {target['name']:{width}}  {target['summary']} – {state}", markup=False)
    if facts["failures"]:
        console.print("\n[bold red]failures[/bold red]")
    for failure in facts["failures"]:
        console.print(f"  {failure['plugin']} ({failure['distribution']}): {failure['cause']}", markup=False)
