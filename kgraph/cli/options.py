"""Options that take several words, and those that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from kgraph.graph import Graph

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorated = TypeVar("Decorated", bound=Callable[..., object])


class WholeNumber(click.IntRange):
    """A whole number in a range, by that name in messages."""

    name = "whole number"


class Listing(click.Command):
    """A command whose options that may be repeated take, after MODEL, all the words up to the next option.

    `extract MODEL --layers a b -o f.keras` is `extract MODEL --layers a --layers b -o f.keras`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the option before each of its words, then parse as ever."""
        lists = {name for p in self.params if isinstance(p, click.Option) and p.multiple for name in p.opts}
        takes = {
            name for p in self.params if isinstance(p, click.Option) and not p.is_flag for name in p.opts
        }
        spread: list[str] = []
        option, has_model = "", False
        for before, arg in zip(["", *args], args, strict=False):
            if arg.startswith("-") and len(arg) > 1:
                option = arg if arg in lists and has_model else ""
                spread += [] if option else [arg]
            elif option:
                spread += [option, arg]
            else:
                has_model = has_model or before not in takes
                spread.append(arg)
        return super().parse_args(ctx, spread)


def several(*names: str, help: str) -> Callable[[Decorated], Decorated]:
    """An option that may be repeated, its words queries."""
    return click.option(*names, metavar="QUERY...", multiple=True, help=help, shell_complete=complete_layers)


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What lets the shell complete a word as a file, though it need not be one."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_layers(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the layers of MODEL that begin so, at all depths."""
    from click.shell_completion import CompletionItem

    from kgraph.errors import KGraphError
    from kgraph.sources import read
    from kgraph.transforms.flatten import every_node

    try:
        graph = read(context.params.get("model") or "")
        names = dict.fromkeys(node.layer for node, _ in every_node(graph))
    except KGraphError:  # there is nothing to complete from
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


model_argument = click.argument("model", shell_complete=complete_files)
weights_option = click.option(
    "--weights",
    metavar="FILE",
    shell_complete=complete_files,
    help="The weights of a MODEL that is JSON without any: `.weights.h5`.",
)
imports_option = click.option(
    "--import",
    "imports",
    metavar="MODULE|FILE.py",
    multiple=True,
    shell_complete=complete_files,
    help="Code that defines classes of the model, for where Keras loads it.",
)
WITH_KERAS = "kgraph.cli.with_keras"  # where a command's context holds whether Keras is to load the model


def _keep(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[WITH_KERAS] = value


with_keras_option = click.option(
    "--with-keras",
    is_flag=True,
    expose_value=False,
    callback=_keep,
    help="Load the model with Keras, for a class that makes its layers itself.",
)
input_shape_option = click.option(
    "--input-shape",
    "input_shapes",
    metavar="NAME=SIZES...",
    multiple=True,
    help="Shapes for inputs of these sizes, as `image=512x512x3`; NAME can be left out if there is one.",
)


def bind_input_shapes(graph: Graph, texts: Sequence[str]) -> Graph:
    """The graph with the shapes that it has for the inputs that `--input-shape` names."""
    if not texts:
        return graph
    from kgraph.transforms.shape_inference import infer_shapes

    return infer_shapes(graph, parse_input_shapes(texts))


def parse_input_shapes(texts: Sequence[str]) -> dict[str, tuple[int | None, ...]]:
    """The shapes by the names of the inputs; wrong usage for two shapes of one name."""
    shapes = dict[str, tuple[int | None, ...]]()
    for text in texts:
        name, shape = parse_input_shape(text)
        if name in shapes:
            whose = f"`{name}`" if name else "the input"
            raise click.UsageError(f"`--input-shape {text}`: a second shape for {whose}")
        shapes[name] = shape
    return shapes


def parse_input_shape(text: str) -> tuple[str, tuple[int | None, ...]]:
    """The name of an input and its shape.

    >>> parse_input_shape("image=512x?x3"), parse_input_shape("8")
    (('image', (512, None, 3)), ('', (8,)))
    """
    name, _, sizes = text.rpartition("=")
    words = sizes.replace("×", "x").split("x")
    if not all(
        word in ("?", "None") or (word.isascii() and word.isdecimal() and len(word) < 19) for word in words
    ):
        raise click.UsageError(
            f"`--input-shape {text}`: sizes are whole numbers with `x` between them, `?` for a free one, "
            "as `image=512x512x3`"
        )
    return name, tuple(int(word) if word.isdecimal() else None for word in words)
