"""The command line: one file a verb, each loaded when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from dltf import __version__
from dltf.errors import DltfError

INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended

VERBS = {
    "run": "Search for inputs on which two variants differ.",
    "plugins": "List plugins, what they offer, and what is wrong with them.",
    "replay": "Show one finding to both variants again.",
    "export": "Write the findings of a run as files.",
}


class _Verbs(click.Group):
    """Loads a verb's module when it is called, so that `dltf --help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"dltf.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from dltf.errors import nearest

            raise click.UsageError(f'there is no command "{args[0]}"{nearest(args[0], VERBS)}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="dltf")
def cli() -> None:
    r"""Find the inputs on which two variants of a network differ.

    \b
    A campaign is described by a profile, a TOML file:
      dltf run profile.toml              search, and leave the findings in runs/NAME-001
      dltf export runs/NAME-001 found    write them as files, with previews
      dltf replay runs/NAME-001 42       show one of them to both variants again
      dltf plugins                       what can be named in a profile

    \b
    Exit status:
      0    done, and every gate holds
      1    a gate does not hold, or a finding does not reproduce
      2    something to correct: the profile, a file, an argument
      3    a runtime or a plugin failed
      130  interrupted; what was found is kept (go on with --resume)
    """


def main() -> None:
    """Run the command line; a `DltfError` is told without a traceback."""
    try:
        status = cli.main(standalone_mode=False)
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
