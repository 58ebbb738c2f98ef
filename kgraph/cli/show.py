"""`kgraph show`: the layer graph of a model, in the terminal or as a file; or some of its layers in full."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph.cli.audit_note import note_findings
from kgraph.cli.flags import is_given, json_option, pager_option, quiet_option
from kgraph.cli.folders import is_folder_of_models, print_models
from kgraph.cli.model_io import load_model, open_renderer, write_file
from kgraph.cli.options import (
    Listing,
    WholeNumber,
    bind_input_shapes,
    complete_layers,
    imports_option,
    input_shape_option,
    model_argument,
    several,
    weights_option,
    with_keras_option,
)
from kgraph.cli.paper import PAPER_OPTIONS, check_paper, paper_options
from kgraph.cli.terminal import note, print_graph, tell, terminal_width
from kgraph.cli.unloadable import note_unloadable
from kgraph.drawing.look import COLORS, COLUMNS, LABELS, LAYOUTS, RANKDIRS, ROOM
from kgraph.graph import Graph
from kgraph.renderers import GRAPHML, PAGE, PICTURES, RENDERERS, TABLES, WHOLE, suffix_of
from kgraph.view_options import choose_view

if TYPE_CHECKING:
    from kgraph.drawing.view import ShownGraph

# Options that not all outputs heed, and who does.
OF_PICTURES = ("rankdir", "label", "color", "dark", "chains", "boxes", "open", "layout", "legend")
HAS_OUTPUT = "kgraph.has_output"  # whether the words of the command name a file to write
OF_VIEWS = ("expand", "fold", "depth", "highlight")


def _show_legend(context: click.Context, _: click.Parameter, value: bool | None) -> bool | None:
    if value and not context.meta.get(HAS_OUTPUT):
        from kgraph.drawing.terminal.legend import legend

        click.echo(legend(terminal_width()), nl=False)
        context.exit()
    return value


class _Show(Listing):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[HAS_OUTPUT] = any(arg.startswith(("-o", "--output")) for arg in args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from textwrap import indent

        from kgraph.drawing.terminal.legend import legend

        formatter.write("\nSigns:\n" + indent(legend(78), "  "))


@click.command("show", cls=_Show)
@model_argument
@click.argument("layers", metavar="[LAYER]...", nargs=-1, shell_complete=complete_layers)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a file: " + " ".join(RENDERERS) + "."
)
@click.option("--browse", is_flag=True, help="Explore it in the browser, in one page.")
@json_option
@click.option("--expand", is_flag=True, help="Open nested models.")
@click.option(
    "--fold/--no-fold", default=None, help="Show repeated blocks once; pictures do from 40 boxes on."
)
@click.option("--depth", type=click.IntRange(1), help="Levels of nested models and blocks; 1: all closed.")
@click.option("--boxes", metavar="N", type=WholeNumber(1), help="Close a picture down to at most N boxes.")
@several("--open", help="In a picture, open these nested models and blocks.")
@several("--only", help="Show only what matches, as `block1_*`.")
@click.option("--around", type=click.IntRange(0), help="With --only: and what lies so many steps from it.")
@click.option("--between", nargs=2, metavar="QUERY QUERY", help="Show only the ways from one to the other.")
@several("--highlight", help="Mark what a submodel of these would keep.")
@click.option("--columns", metavar="NAME,...", help=f"The columns, of {', '.join(COLUMNS)}.")
@click.option("--values", is_flag=True, help="With LAYER: what its weights amount to.")
@input_shape_option
@weights_option
@imports_option
@with_keras_option
@click.option("--rankdir", type=click.Choice(RANKDIRS), help="Where a picture leads; LR: to the right.")
@click.option("--chains", is_flag=True, help="In pictures, one box for convolution, norm and activation.")
@click.option(
    "--label",
    multiple=True,
    type=click.Choice(LABELS),
    metavar="WHAT...",
    help=f"What pictures say, of {', '.join(LABELS)}.",
)
@click.option("--color", "--colour", "color", type=click.Choice(COLORS), help="What fills the boxes.")
@click.option("--dark/--light", default=None, help="The paper; an SVG without it is as its viewer is.")
@click.option("--layout", type=click.Choice(LAYOUTS), help="Place boxes by layers; scale: U-Nets as U.")
@paper_options
@pager_option
@quiet_option
@click.option(
    "--legend",
    is_flag=True,
    default=None,
    is_eager=True,
    callback=_show_legend,
    help="Tell what the signs mean; with -o of a picture, below it.",
)
def show_command(
    model: str,
    layers: Sequence[str],
    output: Path | None,
    browse: bool,
    as_json: bool,
    input_shapes: Sequence[str],
    weights: str | None,
    imports: Sequence[str],
    values: bool,
    **view: Any,
) -> None:
    """Show the layer graph of MODEL, in the terminal or as a picture; or each LAYER in full.

    \b
    kgraph show model.keras
    kgraph show model.keras encoder/conv --values
    kgraph show model.keras --only 'encoder/*'
    kgraph show model.keras --only embedding --around 1
    kgraph show model.keras --input-shape title=16 body=80
    kgraph show model.keras -o model.svg
    kgraph show model.keras --boxes 20 -o model.svg
    kgraph show .
    """
    if is_folder_of_models(model):
        _refuse_for_folder()
        print_models(model, as_json)
        return
    if values and not layers:
        raise click.UsageError("`--values` goes with a LAYER: the weights of which?")
    if (output or browse) and (as_json or layers):
        given = "`-o` writes" if output else "`--browse` shows"
        raise click.UsageError(f"{given} the graph; it does not go with `--json` or a LAYER")
    if browse:
        from kgraph.cli.browser import open_browser, page_to_browse

        output = page_to_browse(output)
    if layers:
        _note_idle(
            OF_PICTURES + PAPER_OPTIONS + OF_VIEWS + ("columns", "only", "between"),
            "says nothing of a layer in full",
        )
        from kgraph.cli.layer import print_layers

        print_layers(model, layers, weights, imports, input_shapes, values=values, as_json=as_json)
        return
    suffix = ".json" if as_json else suffix_of(output) if output else ""
    _note_unheeded(suffix)
    options = {name: value for name, value in view.items() if value not in (None, ()) and value is not False}
    options |= {"fold": view["fold"], "dark": view["dark"], "columns": _columns(view["columns"])}
    if view["label"]:
        options["label"] = frozenset(view["label"])
    _check_together(options, suffix)
    check_paper(options, suffix)
    context = click.get_current_context()
    render = context.with_resource(open_renderer(output, model)) if output else None
    graph, file = load_model(model, weights, imports=imports)
    graph, look = choose_view(bind_input_shapes(graph, input_shapes), **options)
    if as_json:
        click.echo(_to_json(graph))
    elif output is None or render is None:
        print_graph(graph, look)
    else:
        rendered = render(graph, look)
        write_file(output, rendered.content)
        tell(f"wrote {output}{_advice(rendered.shown) if rendered.shown else ''}")
        if browse:
            open_browser(output)
    note_unloadable(file)
    note_findings(file)


def _refuse_for_folder() -> None:
    """None; raises `UsageError` for what has no meaning where the models in a folder are listed."""
    for name in click.get_current_context().params:
        if is_given(name) and name not in ("model", "as_json"):
            what = "a LAYER" if name == "layers" else f"`--{name.replace('_', '-')}`"
            raise click.UsageError(f"{what} goes with one model, and this is a folder that is no model")


def _to_json(graph: Graph) -> str:
    from kgraph.graph_json import to_json

    return to_json(graph)


def _columns(text: str | None) -> tuple[str, ...] | None:
    names = tuple(name.strip() for name in text.split(",")) if text is not None else None
    for name in names or ():
        if name not in COLUMNS:
            raise click.UsageError(f"`--columns`: there is no `{name}`; there are {', '.join(COLUMNS)}")
    return names


def _check_together(options: dict[str, Any], suffix: str) -> None:
    """None; raises `UsageError` for options of which each makes the other senseless."""
    if "only" in options and "between" in options:
        raise click.UsageError("`--only` and `--between` each name a part; give one of them")
    if "around" in options and "only" not in options:
        raise click.UsageError("`--around` goes with `--only`: around what?")
    for name in ("boxes", "open"):
        for other in ("depth", "no-fold"):
            if name in options and (options["fold"] is False if other == "no-fold" else other in options):
                raise click.UsageError(f"`--{name}` and `--{other}` each say what is open; give one of them")
    if suffix in WHOLE and (options["fold"] or "depth" in options):
        raise click.UsageError(
            "JSON holds every layer; `--fold` and `--depth` go with pictures and the terminal"
        )


def _note_unheeded(suffix: str) -> None:
    """A note for each option that was given and that the output does not heed."""
    if suffix not in PICTURES:
        _note_idle(OF_PICTURES, "goes with a picture, as `-o model.svg`")
    if suffix in (*PICTURES, *WHOLE, GRAPHML):
        _note_idle(("columns",), "goes with the terminal view and tables")
    if suffix in WHOLE:
        _note_idle(("expand",), "goes with pictures, tables and the terminal view")
    if suffix in (*WHOLE, *TABLES, GRAPHML):
        _note_idle(("highlight",), "goes with pictures and the terminal view")
    if suffix == PAGE:
        _note_idle(
            (*OF_VIEWS, "columns"), "goes with pictures and the terminal view; a page opens all by itself"
        )


def _note_idle(names: Sequence[str], why: str) -> None:
    for name in names:
        if is_given(name):
            note(f"`--{name}` has no effect here: it {why}")


def _advice(shown: ShownGraph) -> str:
    """What is said of a picture that shows less than there is without having been asked to, or too much."""
    boxes, look = shown.box_count, shown.look
    if look.boxes is not None and boxes > look.boxes:
        return f"; there are at least {boxes} boxes{' with what is open' if look.open else ''}"
    less = "" if not shown.is_folded else ", `--boxes N` less" if look.depth is None else ""
    if boxes > ROOM and look.boxes is None:
        is_part = any(node.outside for node in shown.graph.nodes)
        part = "a narrower QUERY draws less" if is_part else "`--only QUERY` draws a part"
        fold = "" if shown.is_folded else ", `--boxes N` as many as you like"
        return f"; of {boxes:,} boxes: {part}{fold}{less}, the terminal view all"
    is_asked = look.fold is not None or look.boxes is not None or bool(look.open)
    if shown.is_folded and not is_asked and len(shown.graph.nodes) < len(shown.whole.nodes):
        if look.depth is not None:
            return f"; of {boxes} boxes; `--no-fold` draws all"
        return f"; closed down to {boxes} boxes; `--boxes N` shows more or fewer, `--open NAME` opens one"
    return ""
