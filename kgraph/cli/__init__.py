"""The command line: joins everything, and is the only part that prints."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from typing import NoReturn

import click

from kgraph import __version__
from kgraph.cli.output import open_output
from kgraph.errors import Interrupted, KGraphError

# The commands, each in the module of its name, as `NAME_command`; imported when it is used.
COMMANDS = ("show", "shared", "select", "extract", "audit", "demo")


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"kgraph.cli.{cmd_name}"), f"{cmd_name}_command")
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kgraph")
def cli() -> None:
    """The layer graph of Keras models: see it, see what is shared, draw it.

    MODEL is a file or folder: `.keras`, HDF5, JSON, SavedModel or TensorFlow.js, of any Keras; or
    `package.module:name`, a model or a function that returns one. Files are read without starting
    TensorFlow, and nothing in them is run.

    \b
    kgraph show model.keras
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
        sys.exit(_report_error(error))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, Interrupted):
        click.echo("interrupted", err=True)
        sys.exit(Interrupted.code)
    except OSError as error:  # what is printed cannot be written: a full disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_report_error(KGraphError(f"the output cannot be written ({error.strerror or error})")))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done
    gc.freeze()  # Python would collect at its end too
    sys.exit(0)


def _report_error(error: KGraphError) -> int:
    click.echo(f"error: {error}", err=True)
    if error.hint:
        click.echo(f"\nhint: {error.hint}", err=True)
    return 1
