"""The command line: one file a verb, each loaded when it is called."""

from __future__ import annotations

import importlib
import io
import re
import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from dltf import __version__
from dltf.errors import DltfError

if TYPE_CHECKING:
    from dltf.component import Component

INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended
BROKEN = 3  # a runtime, a plugin or dltf itself

VERBS = {
    "compare": "Compare two models that come without a profile.",
    "gap": "Measure how far apart models are, and rank candidates by it.",
    "matrix": "Compare all ways in which one model may be deployed.",
    "separation": "Measure how far apart labels lie, in codes or pixels.",
    "generate": "Test a model, or a pair, with inputs made near seeds.",
    "run": "Search for inputs on which two variants differ.",
    "repair": "Learn from runs to answer as the reference does.",
    "ship": "Write a repaired candidate as files that run without dltf.",
    "doctor": "Say what is installed, and what a model file expects.",
    "plugins": "List plugins, what they offer, and what is wrong with them.",
    "replay": "Show one finding to both variants again.",
    "export": "Write the findings of a run as files.",
    "record": "Record a model's answers, to compare it where it cannot run.",
    "report": "Write what a run has found as a page.",
}


class _Verbs(click.Group):
    """Loads a verb's module when it is called, so that `dltf --help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS, *_brought()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            brought = _brought()
            if name not in brought:
                return None
            from dltf.cli.workbench import command_of

            return command_of(brought[name])
        command: click.Command = importlib.import_module(f"dltf.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-") and args[0] not in _brought():
            from dltf.errors import nearest

            raise click.UsageError(f'there is no command "{args[0]}"{nearest(args[0], [*VERBS, *_brought()])}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))
        if brought := _brought():
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, component.summary) for name, component in sorted(brought.items())])


def _brought() -> Mapping[str, Component]:
    """Return the commands of plugins, without those that are called as one of the host's own."""
    from dltf.cli.workbench import offered

    return {name: component for name, component in offered().items() if name not in VERBS}


# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Find the inputs on which two variants of a network differ.

    \b
    The first day:
      dltf doctor a.onnx b.tflite               what they expect, and whether they can be compared
      dltf compare a.onnx b.tflite --seeds DIR  compare them; --save-profile FILE to go on from
      dltf gap a.onnx b.tflite c.onnx --seeds DIR
                                                which of them is nearer to the first

    \b
    A campaign is described by a profile, a TOML file:
      dltf run profile.toml              search, and leave the findings in runs/NAME-001
      dltf export runs/NAME-001 found    write them as files, with previews
      dltf replay runs/NAME-001 42       show one of them to both variants again
      dltf report runs/NAME-001          write the run's page and the file for CI again
      dltf record profile.toml candidate phone.npz
                                         keep what a model answers, to compare it elsewhere
      dltf matrix matrix.toml            one model over conversions, runtimes and precisions
      dltf repair runs/NAME-001 --out DIR
                                         a head that corrects the candidate, and what it is worth
      dltf ship DIR/repair.json runs/NAME-001 --out SHIPPED
                                         candidate and head as files to deploy
      dltf separation feature.toml       how far apart labels lie in a latent space, or in pixels
      dltf generate feature.toml         tests near seeds in a latent space, with their labels
      dltf plugins                       what can be named in a profile

    \b
    Exit status:
      0    done, and every gate holds
      1    a gate does not hold, or a finding does not reproduce
      2    something to correct: the profile, a file, an argument
      3    a runtime or a plugin failed
      130  interrupted; what was found is kept (go on with --resume)
"""


@click.group(cls=_Verbs, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="dltf")
def cli() -> None:
    """The command `dltf`."""


def main() -> None:
    """Run the command line; only a bug, ours or a plugin's, is told with a traceback."""
    _print_anything()
    try:
        status = cli.main(prog_name="dltf", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DltfError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        click.echo(f"error: {_about(error)}", err=True)
        sys.exit(DltfError.exit_status)
    except Exception as error:
        traceback.print_exc()
        click.echo(f"error: this is a bug of {_suspected(error)}; finished work is kept", err=True)
        sys.exit(BROKEN)


def _print_anything() -> None:
    """Escape what a stream cannot take: names of files and campaigns may be more than its encoding has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _suspected(error: Exception) -> str:
    """Say whose bug it may be: a plugin is named where code of it was running."""
    from importlib.metadata import entry_points

    from dltf.host import GROUP

    plugins = {re.split(r"[.:]", entry.value)[0]: entry.name for entry in entry_points(group=GROUP)}
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    running = [plugins[package] for module in modules if (package := module.partition(".")[0]) in plugins]
    return f'the plugin "{running[-1]}", or of dltf' if running else "dltf"


def _about(error: OSError) -> str:
    named = f"{error.filename}: " if error.filename is not None else ""
    return f"{named}{error.strerror or error}\n  check the path, its permissions and the room on the disk"
