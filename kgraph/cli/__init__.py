"""The command line: joins everything, and is the only part that prints."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from kgraph import __version__
from kgraph.cli.output import open_output, report_error
from kgraph.errors import Interrupted, KGraphError

# The commands, each in the module of its name, as `NAME_command`; imported when it is used.
COMMANDS = ("show", "shared", "select", "extract", "convert", "features", "costs", "diff", "audit", "demo")


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"kgraph.cli.{cmd_name}"), f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; `show` where a model stands in its place."""
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        if os.path.exists(name) or os.path.splitext(name)[1] or ":" in name:
            return "show", self.get_command(ctx, "show"), args
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, 1)
        known = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{c}`' for c in COMMANDS)}"
        raise click.UsageError(f"`{name}` is no command and no file; {known}", ctx)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="kgraph")
def cli() -> None:
    """The layer graph of Keras models: see it, see what is shared, draw it.

    MODEL is a file or folder: `.keras`, HDF5, JSON, SavedModel or TensorFlow.js, of any Keras; or
    `package.module:name`, a model or a function that returns one. Files are read without starting
    TensorFlow, and nothing in them is run.

    \b
    kgraph show model.keras
    kgraph model.keras
    kgraph COMMAND --help
    """


def run() -> NoReturn:
    """The program: exit 0 done, 1 a kgraph error, 2 wrong usage, 130 interrupted."""
    gc.disable()  # it ends before garbage could matter, and collections take a third of the time
    sys.stdout, sys.stderr = open_output(1), open_output(2)
    try:
        cli(standalone_mode=False)
        sys.stdout.flush()
    except KGraphError as error:
        sys.exit(report_error(error))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, Interrupted):
        click.echo("interrupted", err=True)
        sys.exit(Interrupted.code)
    except OSError as error:  # what is printed cannot be written: a full disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(report_error(KGraphError(f"the output cannot be written ({error.strerror or error})")))
    gc.freeze()  # Python would collect at its end too
    sys.exit(0)
