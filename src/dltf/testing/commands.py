"""What commands promise: help that teaches, and a name that is not the host's."""

from __future__ import annotations

from collections.abc import Iterator

import click

from dltf.cli import VERBS
from dltf.cli.workbench import HOOK
from dltf.testing.any_component import its_module_is_light, its_summary_is_a_sentence
from dltf.testing.promise import Subject, hold

__all__ = ["HOOK", "PROMISES"]


def it_is_a_click_command(subject: Subject) -> None:
    """Its target loads to a command, or a group of commands, of its own name."""
    __tracebackhide__ = True
    loaded = subject.component.load()
    hold(isinstance(loaded, click.Command), f"{subject.component.target} is no click.Command: {loaded!r}")
    hold(subject.name not in VERBS, f'"{subject.name}" is one of the host\'s own commands: find another name')


def its_help_teaches(subject: Subject) -> None:
    """Every command has a text, and so has every option."""
    __tracebackhide__ = True
    for name, command in _commands(subject.name, subject.component.load()):
        hold((command.help or "").strip(), f"dltf {name} has no help")
        bare = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
        hold(not bare, f"dltf {name}: these options have no help: {', '.join(map(str, bare))}")


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for below, inner in command.commands.items():
            yield from _commands(f"{name} {below}", inner)


PROMISES = (its_summary_is_a_sentence, its_module_is_light, it_is_a_click_command, its_help_teaches)
"""All of them: a command is no settings class."""
