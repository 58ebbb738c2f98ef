"""Queries: Graph × text → Tensors. The grammar is that of `query_grammar.py`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from kgraph.errors import NoMatchError, QueryError, SelectError
from kgraph.graph import Graph, NodeKey, Tensor, parse_address, reads_source
from kgraph.query_grammar import Around, LastStep, Named, Query, Stage, parse_query
from kgraph.query_hints import ByPath, Call, near_names, object_hint, why_nothing
from kgraph.query_settings import has_settings
from kgraph.transforms.block_outputs import block_outputs
from kgraph.transforms.flatten import call_ends, every_node
from kgraph.transforms.stages import stages


@dataclass(frozen=True)
class Match:
    """What one query matched: the label it gave, or None, and the tensors in graph order.

    `before_activation`: what is meant is what their layers make before their own activation.
    """

    query: str
    label: str | None
    tensors: tuple[Tensor, ...]
    before_activation: bool = False

    def check_tensors(self) -> None:
        """Nothing; raises `SelectError` where tensors are meant that the graph does not have."""
        if self.before_activation:
            raise SelectError(
                f"`{self.query}` is no tensor of the graph, but what a layer makes on the way to one",
                hint="`kgraph extract` cuts there, and `before(…)` is what a layer reads",
            )


@reads_source
def select(graph: Graph, *queries: str | Tensor) -> tuple[Tensor, ...]:
    """The tensors that the queries name: in query order, then graph order, none twice.

    Raises `QueryError`, with the position, for a query that cannot be read, and `NoMatchError`, with
    the nearest names, for one that matches nothing.
    """
    matches = match(graph, *queries)
    for found in matches:
        found.check_tensors()
    return tuple(dict.fromkeys(t for found in matches for t in found.tensors))


def match(graph: Graph, *wanted: str | Tensor) -> tuple[Match, ...]:
    """What each query matched, with its label. Raises as `select`."""
    queries = [_query_text(query) for query in wanted]
    calls = _Calls(graph)
    return tuple(_match_address(calls, text) or _match(calls, text) for text in queries)


class _Calls:
    """All calls of a graph that have an address, in graph order, found by what a query says of them."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.nodes = graph, every_node(graph)
        self.by_path: ByPath = {}
        self.by_key: dict[NodeKey, Call] = {}
        for call in self.nodes:
            self.by_path.setdefault(call[0].layer, []).append(call)
            self.by_key[call[0].key] = call
        self.known: dict[str, list[Tensor]] = {}

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

    @cached_property
    def readers(self) -> dict[Tensor, list[Call]]:
        """The calls that read each tensor: those beside it, not those inside a model that reads it."""
        found: dict[Tensor, list[Call]] = {}
        for call in self.nodes:
            for tensor in dict.fromkeys(call[0].inputs.values()):
                found.setdefault(tensor, []).append(call)
        for tensor, calls in found.items():
            own = {node.address for node, _ in calls}
            found[tensor] = [call for call in calls if own.isdisjoint(call[0].within)]
        return found

    @cached_property
    def places(self) -> dict[NodeKey, int]:
        """The place of each call in graph order."""
        return {node.key: place for place, (node, _) in enumerate(self.nodes)}

    @cached_property
    def stages(self) -> dict[int, Tensor]:
        """The stages of the graph, by stride."""
        return stages(self.graph)

    @cached_property
    def ends(self) -> dict[Tensor, Tensor]:
        """What each call of a nested model makes, as those who read it have it: made inside."""
        return call_ends(self.graph)

    @cached_property
    def blocks(self) -> dict[str, tuple[Tensor, ...]]:
        """What each block that `fold` closes makes, by the name that it is shown under."""
        return block_outputs(self.graph)

    def of(self, query: str, name: str) -> list[Call]:
        """The calls that a name, a pattern, a class or a regular expression stands for."""
        if name in self.by_path:
            return self.by_path[name]
        path, at, kind = ("", "", "") if name.startswith("~") else name.rpartition("@")
        if at and (not path or path.endswith("/")):
            return self._of_class(path, kind)
        pattern, start = _compile(query, name), _literal_start(name)
        first = bisect_left(self.sorted_paths, start)
        last = bisect_right(self.sorted_paths, start, first, key=lambda path: path[: len(start)])
        paths = {path for path in self.sorted_paths[first:last] if pattern.fullmatch(path)}
        if len(paths) <= 1:
            return [call for path in paths for call in self.by_path[path]]
        return [call for call in self.nodes if call[0].layer in paths]

    def _of_class(self, path: str, kind: str) -> list[Call]:
        """The calls of layers of a class, `*` in it, at any depth below a path, or anywhere."""
        if not path and "*" not in kind:
            return self.by_class.get(kind, [])
        classes, below = re.compile(_pattern_regex(kind)), re.compile(_pattern_regex(path) + ".+", re.DOTALL)
        return [
            call
            for call in self.nodes
            if classes.fullmatch(call[1].class_name) and (not path or below.fullmatch(call[0].layer))
        ]

    def tensors_of(self, query: Query) -> list[Tensor]:
        """What a query stands for, before its index or slice."""
        what = query.what
        if isinstance(what, Named):
            return self._named_tensors(query.text, what)
        if isinstance(what, Stage):
            found = self.stages.get(what.times)
            return [] if found is None else [found]
        inner = self.choose(what.query)
        if isinstance(what, LastStep):
            return inner
        if what.side == "before":
            reads = [self.by_key[tensor.key][0].inputs.values() for tensor in inner]
            return self._in_order(tensor for slots in reads for tensor in slots)
        ends = (self.ends.get(tensor, tensor) for tensor in inner)
        calls = [call for tensor in ends for call in self.readers.get(tensor, ())]
        return self._in_order(node.outputs[0] for node, _ in calls if node.outputs)

    def choose(self, query: Query) -> list[Tensor]:
        """What a query stands for."""
        tensors, part = self.tensors_of(query), query.part
        if part is None:
            return tensors
        return tensors[part] if isinstance(part, slice) else tensors[part : part + 1 or None]

    def _named_tensors(self, query: str, what: Named) -> list[Tensor]:
        asked = repr(what)
        if asked not in self.known:
            name, call, index = what.name, what.call, what.index
            if call is not None and name in self.by_path:
                found = [self.by_key[name, call]] if (name, call) in self.by_key else []
            else:
                found = [one for one in self.of(query, name) if call is None or one[0].node_index == call]
            if what.settings:
                found = [one for one in found if has_settings(one[1], what.settings)]
            made = (tensor for node, _ in found for tensor in node.outputs)
            tensors = [*dict.fromkeys(t for t in made if index is None or t.tensor_index == index)]
            if not found and not what.settings and call is None and not name.startswith(("~", "@")):
                tensors = [t for i, t in enumerate(self.blocks.get(name, ())) if index in (None, i)]
            self.known[asked] = tensors
        return self.known[asked]

    def _in_order(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """The tensors, each once, in graph order."""
        return sorted(dict.fromkeys(tensors), key=lambda t: (self.places.get(t.key, -1), t.tensor_index))


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


def _match(calls: _Calls, text: str) -> Match:
    try:
        query = parse_query(text, calls.by_path)
    except QueryError:  # `conv2_block{2…3}` is the name of a block
        query = parse_query(text, calls.blocks)
    chosen = calls.choose(query)
    if not chosen:
        raise _nothing_error(calls, query)
    return Match(text, query.label, tuple(chosen), isinstance(query.what, LastStep))


def _nothing_error(calls: _Calls, query: Query) -> NoMatchError:
    """What a query that stands for nothing lacks: of one inside another, the inner one."""
    what, names = query.what, calls.by_path
    if isinstance(what, Stage):
        known = ", ".join(f"`stage({times})`" for times in calls.stages) or "none"
        return NoMatchError(query.text, calls.graph.name, (), hint=f"the stages of it are {known}")
    if isinstance(what, LastStep):
        return _nothing_error(calls, what.query)
    if isinstance(what, Around):
        if not calls.choose(what.query):
            return _nothing_error(calls, what.query)
        why = "what it names reads nothing" if what.side == "before" else "nothing reads what it names"
        return NoMatchError(query.text, calls.graph.name, (), hint=why)
    found = calls.of(query.text, what.name)
    near = [] if found else near_names(what.name, names)
    hint = why_nothing(what, found, calls.tensors_of(query), names)
    return NoMatchError(query.text, calls.graph.name, near, hint=hint)


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
