"""What each row of the terminal view says: name, class, shapes, parameters, and the notes beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kgraph.drawing.call_figures import call_figures
from kgraph.drawing.describe import (
    arguments_text,
    call_counts,
    call_sign,
    format_bytes,
    format_count,
    format_macs,
    format_many,
    inner_summary,
    keras_shape,
    keyword_of,
    settings_of,
    training_state,
)
from kgraph.drawing.look import FIGURES
from kgraph.drawing.terminal.lanes import Row
from kgraph.drawing.terminal.spans import text_columns
from kgraph.drawing.view import ShownGraph
from kgraph.graph import Layer, Node, NodeKey, Tensor, parse_address
from kgraph.layers import every_layer, serialized_name
from kgraph.sizes import layer_size
from kgraph.structures import slot_text
from kgraph.texts import escape_unprintable
from kgraph.training import training_by_output


@dataclass(frozen=True, slots=True)
class Note:
    """A remark beside a row, in pieces that stay whole where it is wrapped."""

    pieces: tuple[str, ...]
    style: str = "note"
    needed: bool = True  # False: the lanes say the same


@dataclass(frozen=True, slots=True)
class RowText:
    """What a row says, in words fit to print."""

    row: Row
    layer: Layer
    glyph: str
    name: str  # with the number of the call where there are several, as a query has it
    class_name: str
    inside: str  # of a nested model or block: how much is in it
    settings: tuple[str, ...]
    shapes: tuple[str, ...]
    dtype: str
    reads: tuple[str, ...]
    count: str
    state: str  # of training: `frozen` …
    figures: Mapping[str, str]  # those asked for, by title
    notes: tuple[Note, ...]

    @property
    def config(self) -> str:
        """The settings of the layer as `key=value`, without those that are None; of objects the class."""
        pairs = []
        for key, value in self.layer.config.items():
            if key not in ("name", "trainable", "dtype") and value is not None:
                told = serialized_name(value) or json.dumps(value, ensure_ascii=False)
                pairs.append(f"{key}={told}")
        return escape_unprintable(" ".join(pairs))

    def name_in(self, width: int) -> str:
        """The name, set in as deep as its node is nested; if that is too wide, without its group's path."""
        within = self.row.node.within
        indent = "  " * min(len(within), 5)
        if within and text_columns(indent + self.name) > width:
            path = escape_unprintable(parse_address(within[-1]).layer) + "/"
            if self.name.startswith(path):
                return f"{indent}…/{self.name[len(path) :]}"
        return indent + self.name


def row_texts(shown: ShownGraph, table: Sequence[Row]) -> list[RowText]:
    """What each row says."""
    graph = shown.graph
    notes = _Notes(shown)
    asked = [what for what in shown.look.columns or () if what in FIGURES]
    figures = {what: call_figures(graph, what) for what in asked}
    entries = []
    counted: set[str] = set()
    above: Node | None = None
    for row in table:
        node, layer = row.node, graph.layer(row.node.layer)
        again = layer.name in counted or layer.same_as is not None or node.outside
        counted.add(layer.name)
        size = layer_size(layer) if not again else None
        # Where all inside is somebody else's too, a count of 0 would say that there is none.
        again = again or (bool(_same_objects(layer)) and size is not None and not size.parameters)
        entries.append(
            RowText(
                row,
                layer,
                notes.glyph(node, layer),
                escape_unprintable(node.layer + call_sign(node.address, notes.counts)),
                escape_unprintable(class_text(layer)),
                class_text(layer, brief=True) if layer.graph else "",
                () if layer.graph else tuple(map(escape_unprintable, settings_of(layer))),
                tuple(_shape_text(tensor, place) for place, tensor in enumerate(node.outputs)),
                escape_unprintable(node.outputs[0].dtype or "?"),
                notes.addresses_read(node),
                "" if again else format_count(size.parameters if size else None),
                notes.states[layer.name],
                {what: _figure_text(what, known.get(node.address)) for what, known in figures.items()},
                tuple(notes.of(row, layer, above)),
            )
        )
        above = node
    return entries


def _figure_text(what: str, figure: int | str | None) -> str:
    if figure is None or isinstance(figure, str):
        return figure or "?"
    return format_macs(figure) if what == "macs" else format_bytes(figure)


def class_text(layer: Layer, brief: bool = False) -> str:
    """The class of a layer; of a block or a nested model, also one that a layer wraps, with its size.

    `brief`: of these, only how often it stands there and its size.
    """
    if layer.graph is None:
        return layer.class_name
    times = f"×{layer.repeats}, " if layer.repeats > 1 else ""
    if brief:
        return times + inner_summary(layer).rpartition(", ")[2]
    if layer.repeats:
        return times + inner_summary(layer)
    wrapped = f"({layer.graph.name})" if layer.wraps else ""
    return f"{layer.class_name}{wrapped}, {inner_summary(layer)}"


def _shape_text(tensor: Tensor, place: int) -> str:
    which = "" if tensor.tensor_index == place else f":{tensor.tensor_index} "
    return which + keras_shape(tensor.shape)


def _same_objects(layer: Layer) -> str:
    """Of which earlier entries the layer, or layers inside it, are the same objects; empty for none."""
    if layer.same_as is not None:
        return f"object as {escape_unprintable(layer.same_as)}"
    inside = [inner for _, inner in every_layer(layer.graph)] if layer.graph else []
    first = [inner.same_as for inner in inside if inner.same_as and inner.class_name != "InputLayer"]
    if len(first) < 2:
        return "".join(f"object as {escape_unprintable(path)}" for path in first)
    return f"objects as {escape_unprintable(first[0])} and {len(first) - 1} more"


class _Notes:
    """The remarks beside rows: calls, what is read where no line from the row above says it, ends."""

    def __init__(self, shown: ShownGraph) -> None:
        self.graph = graph = shown.graph
        self.inputs: dict[NodeKey, list[str]] = {}
        self.outputs: dict[NodeKey, list[tuple[str, Tensor]]] = {}
        for slot, tensor in graph.inputs.items():
            self.inputs.setdefault(tensor.key, []).append(slot)
        for slot, tensor in graph.outputs.items():
            self.outputs.setdefault(tensor.key, []).append((slot, tensor))
        self.training = training_by_output(graph)
        self.counts = call_counts(graph)
        self.states = {layer.name: training_state(layer) for layer in graph.layers}
        self.has_reads = "reads" in (shown.look.columns or ())
        self.is_mixed = shown.is_partly_frozen
        self.frozen = {path for path, layer in shown.frames.items() if training_state(layer) == "frozen"}

    def glyph(self, node: Node, layer: Layer) -> str:
        if node.outside:
            return "◌"
        if node.key in self.inputs:
            return "○"
        if layer.graph is not None:
            return "▣"
        if node.key in self.outputs:
            return "◎"
        return "◆" if self.counts[node.layer] > 1 else "●"

    def addresses_read(self, node: Node) -> tuple[str, ...]:
        """What a node reads, where there is a column for it."""
        reads = node.inputs.values() if self.has_reads else ()
        return tuple(escape_unprintable(self.graph.address(tensor)) for tensor in reads)

    def of(self, row: Row, layer: Layer, above: Node | None) -> Iterator[Note]:
        node = row.node
        count = self.counts[node.layer]
        if count > 1 and node == self.graph.nodes_of(node.layer)[0]:
            yield Note((format_many(count, "call"),), needed=False)
        if "frozen" in self.states[node.layer] and self.is_mixed and not self._is_frozen_around(node):
            yield Note((self.states[node.layer],))
        if given := arguments_text(node, layer):
            yield Note((escape_unprintable(given),))
        if same := _same_objects(layer):
            yield Note((f"same {same}",))
        if node.key in self.inputs:
            yield from self._input(node)
        if not self.has_reads:
            yield from self._reads(row, above)
        for slot, tensor in self.outputs.get(node.key, ()):
            yield self._output(slot, tensor)

    def _is_frozen_around(self, node: Node) -> bool:
        return any(parse_address(call).layer in self.frozen for call in node.within)

    def _input(self, node: Node) -> Iterator[Note]:
        keys = [key for key in map(slot_text, self.inputs[node.key]) if key not in ("", node.layer)]
        if keys:
            yield Note((f"input {', '.join(map(escape_unprintable, keys))}",))
        if node.key not in self.outputs and not any(map(self.graph.readers, node.outputs)):
            yield Note(("not read",))

    def _reads(self, row: Row, above: Node | None) -> Iterator[Note]:
        """Positional arguments first, then each keyword with its tensors; nothing if it is the row above."""
        reads = list(row.node.inputs.items())
        keys = [tensor.key for _, tensor in reads]
        plain = all(keyword_of(slot) == "" and tensor.tensor_index == 0 for slot, tensor in reads)
        if plain and above is not None and keys == [above.key] and not row.named:
            return
        needed = bool(row.named) or not plain or len(set(keys)) < len(keys)
        reads.sort(key=lambda read: keyword_of(read[0]) != "")
        for keyword, group in groupby(reads, lambda read: keyword_of(read[0])):
            names = [escape_unprintable(self.graph.address(tensor)) for _, tensor in group]
            pieces = [f"{name}, " for name in names[:-1]] + names[-1:]
            pieces[0] = f"{escape_unprintable(keyword)} ← {pieces[0]}".lstrip()
            yield Note(tuple(pieces), needed=needed)

    def _output(self, slot: str, tensor: Tensor) -> Note:
        which = f" (tensor {tensor.tensor_index})" if tensor.tensor_index else ""
        end = f"→ output {slot_text(slot)}".rstrip() + which
        facts = self.training.get(slot)
        said = [text for text in (str(facts), *facts.metrics) if text] if facts else []
        pieces = [f"{end}: ", *(f"{text}, " for text in said[:-1]), said[-1]] if said else [end]
        return Note(tuple(map(escape_unprintable, pieces)), "output")
