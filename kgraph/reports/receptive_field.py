"""Graph → receptive fields: how much of each input one element of a tensor depends on, along each axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from heapq import heappop, heappush

from kgraph.graph import Graph, Node, Shape, Tensor, reads_source
from kgraph.reports.field_rules.axis_map import AxisMap
from kgraph.reports.field_rules.field_call import FieldCall
from kgraph.reports.field_rules.rules import see
from kgraph.reports.field_rules.sight import Along, Sight
from kgraph.transforms.flatten import flatten

OF_INDEXES = ("Embedding", "ReversibleEmbedding")  # whose inputs have no axis of channels


@dataclass(frozen=True)
class AxisField:
    """The receptive field along one axis of an input; None where it is not known.

    `size` is how many positions one element depends on at most, `stride` how far the field moves from one
    element to the next, `padding` how far the first element's lies before the input's first position.
    `is_global`: each element depends on all positions, and there are no other figures.
    """

    size: int | None = None
    stride: Fraction | None = None
    padding: int | None = None
    is_global: bool = False
    map: AxisMap | None = field(default=None, repr=False, compare=False)

    def span(self, position: int) -> tuple[int, int] | None:
        """The first and last position of the input on which the element at a position depends, those of the
        padding too; None where that is not known, or all, or none.
        """
        return self.map.at(position) if self.map is not None and self.map.is_placed else None


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of the first tensor that a call makes, in one input, by the input's axes of
    space.
    """

    address: str
    class_name: str
    shape: Shape | None
    input: str
    axes: tuple[AxisField, ...]


@dataclass(frozen=True)
class ReceptiveFields:
    """The fields of all tensors, in the order of the graph; those that see nothing of an input are left out.

    `not_aligned` are the addresses of calls that join paths whose centres do not lie on each other; there,
    the field is what all paths see together.
    """

    name: str
    fields: tuple[ReceptiveField, ...]
    not_aligned: tuple[str, ...]

    def __repr__(self) -> str:
        """The report as `kgraph costs --receptive-field` prints it."""
        from kgraph.drawing.terminal.fields_text import to_receptive_fields_text

        return to_receptive_fields_text(self, width=100).rstrip("\n")


@reads_source
def receptive_fields(graph: Graph, *, gates: bool = True) -> ReceptiveFields:
    """The receptive field of each tensor of the graph, at every depth, along the axes of space of each input.

    Every axis of an input is one of space but the batch and the channels; of an input of indexes, as of
    words, all are. What pooling over all positions, attention, or a layer along time has seen is global.
    `gates=False` leaves out what is only multiplied with (squeeze and excite): a factor with one position
    along each axis. Padding counts as positions before the first; that of `same` depends on the size, so it
    is None for a free one.

    >>> from importlib.resources import files
    >>> found = receptive_fields(files("kgraph") / "demo.keras")
    >>> [(f.address, f.axes[0].size, f.axes[0].is_global) for f in found.fields if "title" in f.input][2:4]
    [('encoder/conv#0', 3, False), ('encoder/pool#0', None, True)]
    """
    flat = flatten(graph)
    walk = _Walk(flat, gates)
    fields: dict[str, list[ReceptiveField]] = {node.address: [] for node in flat.nodes}
    for tensor in dict.fromkeys(flat.inputs.values()):
        axes = walk.space_axes(tensor)
        for node, sight in walk.sights_of(tensor) if axes else ():
            parts = tuple(_axis_field(sight, axis) for axis in axes)
            class_name, shape = flat.layer(node.layer).class_name, node.outputs[0].shape
            fields[node.address].append(ReceptiveField(node.address, class_name, shape, tensor.layer, parts))
    found = tuple(one for several in fields.values() for one in several)
    return ReceptiveFields(graph.name, found, tuple(walk.not_aligned))


@dataclass
class _Walk:
    """A walk through a flat graph for each input; the calls that join paths which are not aligned."""

    graph: Graph
    gates: bool
    not_aligned: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shapes = {t: t.shape for node in self.graph.nodes for t in node.outputs}

    @cached_property
    def _is_first(self) -> bool:
        """Whether channels come before space in the graph, as some layer says."""
        return any(layer.config.get("data_format") == "channels_first" for layer in self.graph.layers)

    def space_axes(self, tensor: Tensor) -> list[int]:
        """The axes of an input along which positions lie."""
        rank = len(tensor.shape or ())
        readers = (self.graph.layer(node.layer) for node, _ in self.graph.readers(tensor))
        if any(layer.class_name in OF_INDEXES for layer in readers):
            return list(range(1, rank))
        return list(range(2, rank)) if self._is_first else list(range(1, rank - 1))

    def sights_of(self, tensor: Tensor) -> Iterator[tuple[Node, Sight]]:
        """The calls that see something of an input, and what."""
        sights = {tensor: Sight((None, *(Along(axis) for axis in range(1, len(tensor.shape or ())))))}
        places, waiting = self.graph.node_places, [self.graph.node_places[tensor.key]]
        met = set(waiting)
        while waiting:  # in the graph's order
            node = self.graph.nodes[heappop(waiting)]
            read = [t for slot, t in node.inputs.items() if t in sights and slot != "mask"]
            if read:
                first = self._see(node, read, sights)
                sights.update({t: _for_rank(first, t.shape) for t in node.outputs} | {node.outputs[0]: first})
            if node.outputs[0] in sights:
                yield node, sights[node.outputs[0]]
            for made in node.outputs if node.outputs[0] in sights else ():
                for reader, _ in self.graph.readers(made):
                    if (place := places[reader.key]) not in met:
                        met.add(place)
                        heappush(waiting, place)

    def _see(self, node: Node, read: list[Tensor], sights: Mapping[Tensor, Sight]) -> Sight:
        layer = self.graph.layer(node.layer)
        if not self.gates and layer.class_name == "Multiply":
            read = _without_gates(read, [self.shapes.get(tensor) for tensor in read])
        shapes = [self.shapes.get(tensor) for tensor in read]
        call = FieldCall(layer, shapes, node.outputs[0].shape, node.arguments)
        joined = see(call, [sights[tensor] for tensor in read])
        if not joined.is_aligned:
            self.not_aligned[node.address] = None
        return joined.sight


def _for_rank(sight: Sight, shape: Shape | None) -> Sight:
    """What another tensor of the same call sees: as much, if it has as many axes."""
    return sight if shape is None or len(shape) == len(sight.axes) else sight.lose_all(len(shape))


def _without_gates(read: list[Tensor], shapes: Sequence[Shape | None]) -> list[Tensor]:
    """The factors that have more than one position along some axis of space; all, if none has."""
    kept = [
        tensor
        for tensor, shape in zip(read, shapes, strict=True)
        if shape is None or any(size != 1 for size in shape[1:-1])
    ]
    return kept or read


def _axis_field(sight: Sight, axis: int) -> AxisField:
    if axis in sight.whole:
        return AxisField(is_global=True)
    found = [seen.map for seen in sight.axes if isinstance(seen, Along) and seen.axis == axis]
    if axis in sight.unknown or len(found) != 1:
        return AxisField()
    first = found[0].at(0)
    padding = -first[0] if first is not None and found[0].is_placed else None
    return AxisField(found[0].size, found[0].stride, padding, map=found[0])
