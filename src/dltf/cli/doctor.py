"""`dltf doctor`."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.campaign.checkup import Checkup
    from dltf.host import Host


@click.command()
@click.argument("models", nargs=-1, metavar="MODELS")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(models: tuple[str, ...], as_json: bool) -> int:
    """Say what is installed, what a model file expects, and what is missing.

    MODELS are none, one or more files. With none: versions, plugins, and for each runtime which targets are usable
    here, or why not. With some: what each takes and gives, how its input would be prepared and which of that is a
    guess, and whether it runs here. With two: whether they can be compared, and what to set. Exits with 1 where
    something is wrong with a model, with 3 where a plugin could not be used.
    """
    import attrs

    from dltf.campaign.checkup import check_up, comparable
    from dltf.host import Host

    host = Host()
    checkups = [check_up(model, host) for model in models]
    sound = [checkup for checkup in checkups if not checkup.wrong]
    facts: dict[str, Any] = {
        **_installed(host),
        "models": [attrs.asdict(checkup) for checkup in checkups],
        "comparable": comparable(*sound) if len(models) == len(sound) == 2 else [],
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        if not models:
            _tell_installed(facts)
        for checkup in checkups:
            _tell_model(checkup)
        for line in facts["comparable"]:
            click.echo(f"  - {line}")
        _tell_failures(facts)
    if host.failures:
        return 3
    return 1 if len(sound) < len(models) else 0


def _installed(host: Host) -> dict[str, Any]:
    from dltf import __version__
    from dltf.errors import DltfError

    backends: dict[str, Any] = {}
    for shelved in host.shelves["dltf_model_backends"]:
        name = shelved.component.name
        try:
            # The class itself is asked where a backend has settings without defaults.
            cls = shelved.component.load()
            backend = cls() if name != "python" else cls("module:function")
            targets = [
                {"name": target.name, "usable": target.usable, "about": target.why_not or target.summary}
                for target in backend.targets()
            ]
            backends[name] = {
                "versions": dict(backend.versions()),
                "suffixes": list(cls.suffixes),
                "targets": targets,
            }
        except (DltfError, TypeError) as error:
            backends[name] = {"versions": {}, "suffixes": [], "targets": [], "wrong": str(error)}
    return {
        "dltf": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "plugins": {plugin.distribution: plugin.version for plugin in host.plugins},
        "backends": backends,
        "failures": [
            {"plugin": failure.plugin, "distribution": failure.distribution, "cause": failure.cause}
            for failure in host.failures
        ],
    }


def _tell_installed(facts: dict[str, Any]) -> None:
    click.echo(f"dltf {facts['dltf']}, Python {facts['python']}, {facts['system']}")
    others = {name: version for name, version in facts["plugins"].items() if name != "dltf"}
    click.echo("plugins: " + (", ".join(f"{name} {version}" for name, version in others.items()) or "none"))
    if not others:
        click.echo("  install some: pip install dltf-image dltf-onnxruntime dltf-tflite")
    for name, backend in facts["backends"].items():
        versions = ", ".join(f"{package} {version}" for package, version in backend["versions"].items())
        reads = f", reads {' '.join(backend['suffixes'])}" if backend["suffixes"] else ""
        click.echo(f"\n{name} ({versions or 'its runtime is not installed'}{reads})")
        if "wrong" in backend:
            click.echo(f"  {backend['wrong']}")
        for target in backend["targets"]:
            mark = "usable" if target["usable"] else "not usable"
            click.echo(f"  {target['name']}: {mark}: {target['about']}")
    click.echo("\nnext: dltf doctor MODEL MODEL, or dltf compare REFERENCE CANDIDATE --seeds FOLDER")


def _tell_model(checkup: Checkup) -> None:
    from dltf.profile.structure import show

    click.echo(checkup.model)
    if checkup.wrong:
        click.echo(f"  cannot be used: {checkup.wrong}")
        if checkup.cure:
            click.echo(f"  {checkup.cure}")
        return
    click.echo(f"  backend  {checkup.backend} ({checkup.target}); runs here: {checkup.runs}")
    for spec in checkup.inputs:
        click.echo(f"  takes    {spec}{_quantised(spec)}")
    for spec in checkup.outputs:
        click.echo(f"  gives    {spec}{_quantised(spec)}")
    for note in checkup.notes:
        click.echo(f"  note     {note}")
    for domain in checkup.domains:
        for key, value, because in domain.settings:
            shown = "" if value is None else f" = {show(value)}"
            click.echo(f"  {domain.name:8} input.{key}{shown}, {because}")
    if checkup.inputs and not checkup.domains:
        click.echo("  no installed domain prepares samples for these inputs: install its plugin, or see models.*.feed")


def _quantised(spec: Any) -> str:
    q = spec.quantisation
    return "" if q is None else f" (real = (integer − {q.zero_point}) × {q.scale:g})"


def _tell_failures(facts: dict[str, Any]) -> None:
    for failure in facts["failures"]:
        click.echo(f"plugin {failure['plugin']} ({failure['distribution']}): {failure['cause']}", err=True)
