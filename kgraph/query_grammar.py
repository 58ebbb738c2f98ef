"""Queries as text, read.

    NAME           every call of a layer, by its path in the flat graph: "encoder/conv";
                   "*" within one step of a path, "**" across steps; or a block as
                   `--fold` shows it, for what the block makes: "conv2_block1"
    @CLASS         every layer of a class, "*" in it: "@Conv*"; "backbone/@Conv2D" of
                   those inside `backbone`, at any depth
    ~REGEX         every layer whose path it matches in full; the rest of the query
    before(QUERY)  what those calls read
    after(QUERY)   what their readers make
    stage(N)       the last tensor N times smaller than the input, N a power of two
    preactivation(QUERY)  what those layers make before their own activation, as logits;
                   for what is cut alone, since it is no tensor of the graph

    after a name or a class
    {KEY=VALUE,…}  of those the ones whose settings say so: "*{activation=relu}"; alone
                   it is "**{…}". A value is JSON, else a bare text; a number is also a
                   list of that number; a key may be dotted, "dtype.config.name".
                   `activation` is that of fused ones, Activation, ReLU, operations
    #1             the second call; without, every call
    :2             the third output, ":*" every one; without, the first

    after any query but a regex
    [-1] [1:3]     an index or a slice of what it matched, in graph order

    before any query
    LABEL=         the key that its output gets: "low=block1_pool"

An exact name always wins over a pattern, so odd names with "/", "*", "[" or "=" in them still work.
The name of a nested model stands for what its calls make; names below a wrapper (`each_step/conv`)
for what its inside makes, a step each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from kgraph.errors import QueryError

NUMBER = r"\d{1,18}"  # Python refuses to read those of thousands of digits
INDEX = f"-?{NUMBER}"
PYTHON = {"True": True, "False": False, "None": None}
STEPS = 50  # of `before` and `after` in each other


@dataclass(frozen=True)
class Query:
    """A query, read: the text, its label or None, what it names, and the index or slice of that or None."""

    text: str
    label: str | None
    what: Named | Around | Stage | LastStep
    part: slice | int | None = None


@dataclass(frozen=True)
class Named:
    """Layers by name, pattern, class or regular expression, and by settings; of which call, which output.

    None stands for every call, or output.
    """

    name: str
    settings: tuple[tuple[str, Any], ...] = ()
    call: int | None = None
    index: int | None = 0


@dataclass(frozen=True)
class Around:
    """What the calls of another query read (`before`), or what the readers of its tensors make (`after`)."""

    side: str
    query: Query


@dataclass(frozen=True)
class LastStep:
    """What the layers of another query make before their own activation."""

    query: Query


@dataclass(frozen=True)
class Stage:
    """The last tensor so many times smaller than the input."""

    times: int


def grammar() -> str:
    """The grammar of queries, as people read it."""
    assert __doc__ is not None
    lines = __doc__.split("\n\n", 1)[1].split("\n\nAn exact")[0].split("\n")
    return "\n".join(line[4:] for line in lines)


def parse_query(text: str, names: Collection[str]) -> Query:
    """The query that a text is, where layers have those names. Raises `QueryError`, with the position."""
    label, rest = _split_label(text, names)
    return replace(_parse_rest(text, rest, names, STEPS), label=label)


def _parse_rest(text: str, rest: str, names: Collection[str], steps: int) -> Query:
    """The query without its label; `text` is the whole, for messages."""
    if _is_exact(rest, names):
        return Query(text, None, _parse_named(text, rest, names))
    if rest.startswith("~"):
        return Query(text, None, Named(rest))
    rest, part = _split_index(text, rest, names)
    around = re.fullmatch(r"(before|after|stage|preactivation)\((.*)\)", rest, re.DOTALL)
    if around is None or _is_exact(rest, names):
        return Query(text, None, _parse_named(text, rest, names), part)
    side, inner = around.groups()
    if side == "stage":
        if not re.fullmatch(NUMBER, inner) or int(inner).bit_count() != 1:
            raise QueryError(text, text.rindex(f"({inner}"), "`stage(…)` holds a power of two, as `stage(8)`")
        return Query(text, None, Stage(int(inner)), part)
    if side == "preactivation":
        if steps < STEPS:
            raise QueryError(text, text.index("preactivation"), "`preactivation(…)` stands in no other query")
        return Query(text, None, LastStep(_parse_rest(text, inner, names, steps - 1)), part)
    if not steps:
        raise QueryError(text, 0, f"more than {STEPS} of `before` and `after` in each other")
    return Query(text, None, Around(side, _parse_rest(text, inner, names, steps - 1)), part)


def _split_label(query: str, names: Collection[str]) -> tuple[str | None, str]:
    """The label before the first `=`, and the rest; what is an exact name, or has a sign first, has none."""
    found = re.match(r"([^=~{(]*)=", query)
    if found is None or _is_exact(query, names):
        return None, query
    if not found[1]:
        raise QueryError(query, 0, "a label stands before `=`")
    return found[1], query[found.end() :]


def _is_exact(text: str, names: Collection[str]) -> bool:
    """Whether a text is an exact name, perhaps with the suffixes of an address."""
    return text in names or re.sub(r"(#\d+)?(:(\d+|\*))?$", "", text) in names


def _split_index(query: str, rest: str, names: Collection[str]) -> tuple[str, slice | int | None]:
    """What stands before a closing index or slice, and that index or slice."""
    found = re.search(r"\[([^\[\]]*)\]$", rest)
    if found is None or _is_exact(rest, names):
        return rest, None
    before, text = rest[: found.start()], found[1]
    at = query.rindex("[") + 1
    if re.fullmatch(INDEX, text):
        return before, int(text)
    if re.fullmatch(rf"({INDEX})?(:({INDEX})?){{1,2}}", text):
        part = slice(*(int(number) if number else None for number in text.split(":")))
        if part.step == 0:
            raise QueryError(query, at, "the step of a slice is not 0")
        return before, part
    raise QueryError(query, at, "`[…]` holds an index or a slice")


def _parse_named(query: str, rest: str, names: Collection[str]) -> Named:
    if rest in names:
        return Named(rest)
    found = re.fullmatch(rf"(.*?)(\{{.*\}})?(?:#({NUMBER}))?(?::({NUMBER}|\*))?", rest, re.DOTALL)
    assert found is not None  # each part of the pattern may be empty
    name, settings, call, index = found.groups()
    if settings and name + settings in names:
        name, settings = name + settings, None
    return Named(
        name if name or settings is None else "**",
        _parse_settings(query, settings[1:-1]) if settings else (),
        None if call is None else int(call),
        None if index == "*" else int(index or 0),
    )


def _parse_settings(query: str, text: str) -> tuple[tuple[str, Any], ...]:
    """The pairs of keys and values between `{` and `}`; a comma in a list, an object or a text parts none."""
    settings = []
    for pair in re.findall(r'(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|[^,])+', text) or [""]:
        key, is_pair, value = pair.strip().partition("=")
        if not (key and is_pair):
            raise QueryError(query, query.index("{") + 1, "`{…}` holds `KEY=VALUE`, several by comma")
        settings.append((key.strip(), _parse_value(value.strip())))
    return tuple(settings)


def _parse_value(text: str) -> Any:
    """A value as JSON, or as Python writes it, or else the text itself."""
    if text in PYTHON:
        return PYTHON[text]
    plain = f"[{text[1:-1].rstrip(', ')}]" if text.startswith("(") and text.endswith(")") else text
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        return text
