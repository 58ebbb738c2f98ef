"""Queries: Graph × text → Tensors.

    QUERY = NAME [ "#" node_index ] [ ":" tensor_index ]      a layer's tensors
          | "@" CLASS [ "#" … ] [ ":" … ]                     every layer of a class
          | "~" REGEX                                         every layer whose path it matches in full
    the first two may end in "[" index or slice "]": of what they matched, in graph order   "@Conv2D[-1]"
    any query may begin with LABEL "=": the key its output gets                             "low=block1_pool"
    A regex is the whole rest of its query, so that it may hold `[`, `#`, `:` and `=`.

    NAME    a path in the flat graph: "conv1", "encoder/conv1"; "*" within one step, "**" any number of steps
    no "#"  every node of the layer        "#1" its second call
    no ":"  tensor 0                       ":*" every tensor the source knows of

An exact name always wins over a pattern, so odd names with "/", "*", "[" or "=" in them still work.
The name of a nested model stands for what its calls make; names below a wrapper (`each_step/conv`)
for what its inside makes, a step each.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from kgraph.errors import NoMatchError, QueryError, SelectError
from kgraph.graph import Graph, NodeKey, Tensor, parse_address, reads_source
from kgraph.query_hints import ByPath, Call, near_names, object_hint, why_nothing
from kgraph.transforms.flatten import every_node

NUMBER = r"\d{1,18}"  # Python refuses to read those of thousands of digits
INDEX = f"-?{NUMBER}"


@dataclass(frozen=True)
class Match:
    """What one query matched: the label it gave, or None, and the tensors in graph order."""

    query: str
    label: str | None
    tensors: tuple[Tensor, ...]


@reads_source
def select(graph: Graph, *queries: str | Tensor) -> tuple[Tensor, ...]:
    """The tensors that the queries name: in query order, then graph order, none twice.

    Raises `QueryError`, with the position, for a query that cannot be read, and `NoMatchError`, with
    the nearest names, for one that matches nothing.
    """
    return tuple(dict.fromkeys(t for found in match(graph, *queries) for t in found.tensors))


def match(graph: Graph, *wanted: str | Tensor) -> tuple[Match, ...]:
    """What each query matched, with its label. Raises as `select`."""
    queries = [_query_text(query) for query in wanted]
    calls = _Calls(every_node(graph))
    return tuple(_match_address(calls, query) or _match(graph, calls, query) for query in queries)


class _Calls:
    """All calls of a graph that have an address, in graph order, found by what a query says of them."""

    def __init__(self, nodes: Sequence[Call]) -> None:
        self.nodes = nodes
        self.by_path: ByPath = {}
        self.by_key: dict[NodeKey, Call] = {}
        for call in nodes:
            self.by_path.setdefault(call[0].layer, []).append(call)
            self.by_key[call[0].key] = call
        self.known: dict[tuple[str, int | None, int | None], list[Tensor]] = {}

    @cached_property
    def by_class(self) -> dict[str, list[Call]]:
        """The calls of the layers of each class."""
        found: dict[str, list[Call]] = {}
        for call in self.nodes:
            found.setdefault(call[1].class_name, []).append(call)
        return found

    @cached_property
    def sorted_paths(self) -> list[str]:
        """The paths of the layers by their text, so that those that begin alike are neighbours."""
        return sorted(self.by_path)

    def of(self, query: str, named: str) -> list[Call]:
        """The calls that a query names, without its suffixes."""
        if named in self.by_path:
            return self.by_path[named]
        if named.startswith("@"):
            return self.by_class.get(named[1:], [])
        pattern, start = _compile(query, named), _literal_start(named)
        first = bisect_left(self.sorted_paths, start)
        last = bisect_right(self.sorted_paths, start, first, key=lambda path: path[: len(start)])
        paths = {path for path in self.sorted_paths[first:last] if pattern.fullmatch(path)}
        if len(paths) <= 1:
            return [call for path in paths for call in self.by_path[path]]
        return [call for call in self.nodes if call[0].layer in paths]

    def tensors(self, query: str, named: str, call: int | None, index: int | None) -> list[Tensor]:
        """What the calls that a query names make, in graph order, of one call or output or of each."""
        asked = named, call, index
        if asked not in self.known:
            if call is not None and named in self.by_path:
                found = [self.by_key[named, call]] if (named, call) in self.by_key else []
            else:
                found = [one for one in self.of(query, named) if call is None or one[0].node_index == call]
            made = (tensor for node, _ in found for tensor in node.outputs)
            self.known[asked] = [*dict.fromkeys(t for t in made if index is None or t.tensor_index == index)]
        return self.known[asked]


def _query_text(query: object) -> str:
    """A query as text; `SelectError`, with what to write, for what is none, such as a layer of Keras."""
    if isinstance(query, str | Tensor):
        return str(query)
    raise SelectError(
        f"a query is a text or a `Tensor` of kgraph, not a `{type(query).__name__}`", hint=object_hint(query)
    )


def _match_address(calls: _Calls, query: str) -> Match | None:
    """The one tensor that a full address names; it comes before any other reading of the text."""
    try:
        wanted = parse_address(query)
    except ValueError:
        return None
    if wanted.key not in calls.by_key:
        return None
    found = next((t for t in calls.by_key[wanted.key][0].outputs if t == wanted), None)
    return None if found is None else Match(query, None, (found,))


def _match(graph: Graph, calls: _Calls, query: str) -> Match:
    names = calls.by_path
    label, rest = _split_label(query, names)
    is_regex = rest.startswith("~") and not _is_exact(rest, names)
    rest, part = (rest, None) if is_regex else _split_index(query, rest, names)
    named, call, index = (rest, None, 0) if is_regex else _split_suffixes(rest, names)
    tensors = calls.tensors(query, named, call, index)
    chosen = tensors
    if part is not None:
        chosen = tensors[part] if isinstance(part, slice) else tensors[part : part + 1 or None]
    if not chosen:
        found = calls.of(query, named)
        near = [] if found else near_names(named, names)
        hint = why_nothing(named, found, tensors, call, names)
        raise NoMatchError(query, graph.name, near, hint=hint)
    return Match(query, label, tuple(chosen))


def _split_label(query: str, names: Collection[str]) -> tuple[str | None, str]:
    """The label before the first `=`, and the rest; an exact name or a regex with `=` in it has no label."""
    found = re.match(r"([^=~]*)=", query)
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


def _split_suffixes(rest: str, names: Collection[str]) -> tuple[str, int | None, int | None]:
    """Name, node index and tensor index of a query; None stands for every one."""
    if rest in names:
        return rest, None, 0
    found = re.fullmatch(rf"(.*?)(?:#({NUMBER}))?(?::({NUMBER}|\*))?", rest, re.DOTALL)
    assert found is not None  # each part of the pattern may be empty
    name, call, index = found.groups()
    return name, None if call is None else int(call), None if index == "*" else int(index or 0)


def _compile(query: str, name: str) -> re.Pattern[str]:
    """The regular expression that the paths of layers match which a pattern, without its suffixes, names."""
    try:
        return re.compile(name[1:] if name.startswith("~") else _pattern_regex(name), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        position = query.index("~") + 1 + (getattr(error, "pos", 0) or 0)
        what = getattr(error, "msg", "it is too large")
        raise QueryError(query, position, f"the regular expression is wrong: {what}") from None


def _pattern_regex(pattern: str) -> str:
    """The regular expression of a pattern: `*` within one step of a path, `**` across steps."""
    return re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")


def _literal_start(name: str) -> str:
    """What all paths that a pattern names begin with; of a regular expression that is not known."""
    return "" if name.startswith("~") else name.partition("*")[0]
