"""Options that all commands have, and what they were set to."""

from __future__ import annotations

import click
from click.core import ParameterSource


def is_set(name: str) -> bool:
    """Whether the flag of that name, `quiet` or `no_pager`, was given to the command that runs."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(f"kgraph.{name}"))


def is_given(name: str) -> bool:
    """Whether the option or argument of that name stands in the command that runs."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _keep_flag(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    context.meta[f"kgraph.{parameter.name}"] = value


quiet_option = click.option(
    "-q", "--quiet", is_flag=True, expose_value=False, callback=_keep_flag, help="No notes, no `wrote …`."
)
pager_option = click.option(
    "--no-pager", is_flag=True, expose_value=False, callback=_keep_flag, help="Never through a pager."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
