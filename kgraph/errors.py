"""Everything kgraph raises on purpose, as one tree.

    KGraphError
    ├── ReadError      the source is not a model whose graph can be read
    │   ├── FormatError    it is something else (`found` says what)
    │   ├── NoGraphError   it is a model, but one without a static graph (`class_name`)
    │   ├── ConfigError    its config contradicts itself or Keras's format (`where`, a JSON path)
    │   └── UnsafeError    it holds what no model needs and an attack would use
    ├── GraphError     a graph whose parts do not fit
    ├── SelectError    a query that cannot be answered
    │   ├── QueryError     it cannot be read (`position` says where)
    │   └── NoMatchError   nothing has that name (`near` has the closest ones)
    ├── ExtractError   a submodel that cannot be built (`layer`, `reason`)
    └── ImageError     Graphviz could not make the picture (`stderr`)

An error stores facts, composes one sentence from them, and may carry a `hint`: what to do next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kgraph.texts import escape_message

REMAKE = "save the model again with `model.save('model.keras')`, or fetch the whole file again"
WITH_KERAS = "`--with-keras` cuts the model once Keras has loaded it"
FROM_KERAS2 = "leave `--with-keras` away: kgraph cuts files of Keras 2 itself"
AS_KERAS = "cut it as a `.keras` file: `-o FILE.keras`"

NOT_SO_DEEP = "build it with fewer models inside models"
KERAS_STOPS = (
    "Keras itself follows no more than some 1,000 layers in a row; `sys.setrecursionlimit` lets it follow "
    "more, and `kgraph.extract_file` cuts a saved file without Keras"
)


# What the command line calls so → what does the same in Python.
IN_PYTHON = {
    "`--with-keras`": "`kgraph.extract` of the loaded model",
    "`--import MODULE` or `--import FILE.py` names": "import",
    "with `--weights`": "as `weights=`",
    "`--values`": "`values=True`",
    "QUERY --around": "QUERY, around",
    "-o FILE.svg": "FILE.svg",
    "`kgraph select --help` has it all": "`kgraph.query_grammar.grammar()` has it all",
}


class KGraphError(Exception):
    """What is wrong, in one sentence that prints; `hint` is the next step, or empty.

    The hint speaks of the command line; a traceback shows it as Python has it, `force=True` for `--force`.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(escape_message(message))
        self.hint = escape_message(hint)
        if hint:
            self.add_note(f"hint: {_in_python(self.hint)}")


def _in_python(hint: str) -> str:
    """The hint with keywords in place of options of the command line, and calls in place of commands."""
    for words, calls in IN_PYTHON.items():
        hint = hint.replace(words, calls)
    return re.sub(
        r"--([a-z]+(?:-[a-z]+)*)(?![\w=-])(?: ([A-Z]+|\d+))?",
        lambda option: f"{option[1].replace('-', '_')}={option[2] or True}",
        hint,
    )


class Interrupted(BaseException):
    """Ctrl-C in the program `kgraph`; not `KeyboardInterrupt`, of which click makes a blank line."""

    code = 130  # what programs that Ctrl-C has ended exit with


class ReadError(KGraphError):
    """The source cannot be read as a Keras model."""


class FormatError(ReadError):
    """The source is not a Keras model; `found` names what it is instead."""

    def __init__(self, source: str, found: str, *, hint: str = "") -> None:
        super().__init__(f"`{source}` {found}", hint=hint)
        self.source, self.found = source, found


class NoGraphError(ReadError):
    """The source is a model without a static layer graph, for instance a subclassed one."""

    def __init__(self, source: str, class_name: str, known: str, *, hint: str = "") -> None:
        super().__init__(
            f"`{source}` holds a `{class_name}`, which is not a functional model: {known}",
            hint=hint,
        )
        self.source, self.class_name, self.known = source, class_name, known


class ConfigError(ReadError):
    """The model's config contradicts itself; `where` is the JSON path of the place."""

    def __init__(self, what: str, where: str, *, hint: str = REMAKE) -> None:
        super().__init__(f"{what}, at `{where}`" if where else what, hint=hint)
        self.what, self.where = what, where


class UnsafeError(ReadError):
    """The file holds something that no Keras wrote and that an attack would use."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message, hint="do not load this file; ask whoever made it for one that `model.save` wrote"
        )


class GraphError(KGraphError):
    """The parts of a graph do not fit: a name twice, a tensor nobody makes, a cycle."""


class SelectError(KGraphError):
    """A query cannot be answered."""


class QueryError(SelectError):
    """A query cannot be read; `position` is where in it, counted from 0."""

    def __init__(self, query: str, position: int, what: str) -> None:
        super().__init__(
            f"`{query}` cannot be read at position {position}: {what}",
            hint="a query is a name (`conv1`, `encoder/*`), `@Class` or `~regex`, then `{key=value}`, "
            "`#call`, `:output`, `[slice]`; `kgraph select --help` has it all",
        )
        self.query, self.position = query, position


class NoMatchError(SelectError):
    """A query matches nothing; `near` lists the closest names there are."""

    def __init__(self, query: str, graph: str, near: Sequence[str], *, hint: str = "") -> None:
        names = ", ".join(f"`{name}`" for name in near)
        super().__init__(
            f"`{query}` matches nothing in `{graph}`" + (f"; near it: {names}" if near else ""),
            hint=hint or "`*` stands for any part of a name, `**` for any path",
        )
        self.query, self.near = query, tuple(near)


class ExtractError(KGraphError):
    """A submodel cannot be built; `layer` (or what was named) and the `reason`."""

    def __init__(self, layer: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"`{layer}` {reason}", hint=hint)
        self.layer, self.reason = layer, reason


class ImageError(KGraphError):
    """Graphviz could not make the picture; `stderr` is what it said."""

    def __init__(self, message: str, *, stderr: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.stderr = stderr
