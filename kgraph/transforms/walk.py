"""Every call at every depth under the address it has in the whole; nested models once for each call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, NodeKey, Shape, Tensor
from kgraph.layers import inner_path
from kgraph.structures import Slots, argument_of

MOST_NODES = 20_000  # to plan with, some 100 µs each; or twice as many as are written, if that is more
MOST_SHOWN = 10_000  # the same, to look at, some 200 µs each

# The graph to walk into in place of a layer's calls, by how deep it lies (from 0); None: it stays closed.
Inside = Callable[[Layer, int], Graph | None]
Framed = Callable[[Layer], bool]


class Visit(NamedTuple):
    """A call: its node under its address, its layer, and what inside it its outputs stand for, in order."""

    node: Node
    layer: Layer
    ends: tuple[Tensor | None, ...] = ()
    around: tuple[str, ...] = ()  # the calls that were walked into on the way to it, outermost first


@dataclass(frozen=True)
class Walk:
    """Which layers are walked into, and how.

    `calls`: the calls of nested models that are walked into are visited too; `blocks`: those of blocks.
    `joined`: who reads what a nested model makes reads the node inside that makes it. `framed`: of which
    blocks `Node.within` tells, too.
    """

    inside: Inside
    calls: bool = False
    blocks: bool = False
    joined: bool = True
    framed: Framed | None = None


@dataclass
class Scope:
    """One call of a graph: under which path it lies, which call of it, fed by what."""

    graph: Graph
    walk: Walk
    path: str = ""
    number: int = 0
    given: Node | None = None
    within: tuple[str, ...] = ()
    depth: int = 0
    mask: Tensor | None = None
    masked: Set[Tensor] = frozenset()  # the inputs that are given with the mask
    steps: tuple[int | None, ...] = ()  # the axes that TimeDistributed wrappers put behind the batch
    around: tuple[str, ...] = ()  # the calls walked into, runs of blocks aside
    # The shapes inside the outermost call that has its own, and where in that call this one lies.
    inner_shapes: Mapping[str, Shape | None] | None = None
    inner_path: str = ""
    inner_number: int = 0
    ends: dict[Tensor, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fed = bind_inputs(self.given, self.graph) if self.given else {}
        self.inputs = set(self.graph.inputs.values()) if self.given else set()
        self.input_keys = {tensor.key for tensor in self.inputs}

    def visits(self) -> Iterator[Visit]:
        """The calls in this scope under their addresses; what is inside one before it."""
        for node in self.graph.nodes:
            if node.key in self.input_keys:
                continue
            placed, layer = self._place_node(node), self.graph.layer(node.layer)
            graph = None if node.outside else self.walk.inside(layer, self.depth)
            if graph is None:
                yield Visit(placed, layer, (), self.around)
                continue
            inner = self._enter(node, placed, layer, graph)
            yield from inner.visits()
            ends = tuple(map(inner.place, graph.outputs.values()))
            if (self.walk.joined or layer.repeats) and not layer.wraps:
                self.ends.update((Tensor(*node.key, i), end) for i, end in enumerate(ends) if end)
            if self.walk.blocks if layer.repeats else self.walk.calls:
                yield Visit(placed, layer, ends, self.around)

    def _enter(self, node: Node, placed: Node, layer: Layer, graph: Graph) -> Scope:
        """The scope of a call of a graph by a node of this one."""
        walk, path = self.walk, inner_path(self.path, layer)
        call = (*placed.within, placed.address)
        if layer.repeats:
            masked = {end for end, tensor in bind_inputs(node, graph).items() if tensor in self.masked}
            within = call if walk.framed and walk.framed(layer) else placed.within
            number, mask, steps = self.number, self.mask, self.steps
        else:
            masked, within = set(graph.inputs.values()), call
            number, mask = placed.node_index, placed.inputs.get("mask")
            steps = (*self.steps, *_time_axis(layer, placed)) if layer.wraps else self.steps
        around = self.around if layer.repeats else (*self.around, placed.address)
        scope = Scope(graph, walk, path, number, placed, within, self.depth + 1, mask, masked, steps, around)
        if self.inner_shapes is not None:
            scope.inner_shapes = self.inner_shapes
            scope.inner_path = inner_path(self.inner_path, layer)
            index = flat_index(self.graph, node.layer, node.node_index, self.inner_number)
            scope.inner_number = self.inner_number if layer.repeats else index
        else:
            scope.inner_shapes = node.inner_shapes
        return scope

    def place_slots(self, slots: Slots) -> Slots:
        """The same slots with the tensors under their addresses; an input that was not given is left out."""
        pairs = ((slot, self.place(tensor)) for slot, tensor in slots.items())
        return Slots((slot, tensor) for slot, tensor in pairs if tensor is not None)

    def place(self, tensor: Tensor) -> Tensor | None:
        """A tensor of the graph under its address in the whole; None for an input that was not given."""
        if tensor in self.inputs:
            return self.fed.get(tensor)
        if tensor in self.ends:  # made inside a nested model; the call knows its shape at least as well
            end = self.ends[tensor]
            return replace(end, shape=tensor.shape or end.shape, dtype=tensor.dtype or end.dtype)
        return self._own(tensor)

    def _own(self, tensor: Tensor) -> Tensor:
        """A tensor that a node of this scope makes, under its address."""
        index = flat_index(self.graph, tensor.layer, tensor.node_index, self.number)
        shape = self._with_steps(self._shape_here(tensor))
        if not self.path and index == tensor.node_index and shape is tensor.shape:
            return tensor
        path = self.path + tensor.layer
        return Tensor(path, index, tensor.tensor_index, shape, tensor.dtype, tensor.derived)

    def _shape_here(self, tensor: Tensor) -> Shape | None:
        """The shape that a tensor of the graph has in this call."""
        if self.inner_shapes is None:
            return tensor.shape
        index = flat_index(self.graph, tensor.layer, tensor.node_index, self.inner_number)
        place = Tensor(self.inner_path + tensor.layer, index, tensor.tensor_index)
        return self.inner_shapes.get(str(place), tensor.shape)

    def _place_node(self, node: Node) -> Node:
        inputs = self.place_slots(node.inputs)
        if self.given and not self.graph.inputs and not node.inputs:
            inputs = self.given.inputs  # a Sequential never built hands on what it is given
        if self.mask is not None and not self.masked.isdisjoint(node.inputs.values()):
            inputs = Slots({"mask": self.mask, **inputs})
        outputs = tuple(map(self._own, node.outputs))
        within = (*self.within, *node.within)
        return Node(*outputs[0].key, inputs, outputs, within, node.arguments, node.outside, node.inner_shapes)

    def _with_steps(self, shape: Shape | None) -> Shape | None:
        if not self.steps or not shape:
            return shape
        return (*shape[:1], *self.steps, *shape[1:])


def _time_axis(wrapper: Layer, call: Node) -> tuple[int | None, ...]:
    """The time axis that a call of `TimeDistributed` steps along; other wrappers are not known to step."""
    given = next(iter(call.inputs.values()), None)
    known = wrapper.class_name == "TimeDistributed" and given is not None and given.shape
    return given.shape[1:2] if known and given and given.shape else ()


def flat_index(graph: Graph, name: str, node_index: int, call: int) -> int:
    """The index in the whole of a node inside a nested model, for that call of the model.

    Each call of the graph takes as many indexes of a layer's as there are up to its highest in the graph.
    """
    return call * graph.span(name) + node_index


def split_flat_index(graph: Graph, name: str, index: int) -> tuple[int, int]:
    """Which call of the graph, and which node of the layer in it: the reverse of `flat_index`."""
    return divmod(index, graph.span(name))


def bind_inputs(call: Node, graph: Graph) -> dict[Tensor, Tensor]:
    """Which tensor a call of a nested model gives to each input of its graph: input → given.

    By the place in the argument's structure; else, as Keras does (`Functional._standardize_inputs`,
    3.0-3.15), by the name of the input, else by position. Optional inputs given nothing are left out.
    Raises `GraphError` for another number of tensors.
    """
    given = {
        "" if slot in ("0", "inputs") else slot.partition(".")[2]: tensor
        for slot, tensor in call.inputs.items()
        if argument_of(slot) in ("0", "inputs")
    }
    inputs = graph.inputs
    if len(inputs) == len(given) == 1:
        return dict(zip(inputs.values(), given.values(), strict=True))
    if given.keys() <= inputs.keys():
        return {inputs[slot]: tensor for slot, tensor in given.items()}
    names = {tensor.layer: tensor for tensor in inputs.values()}
    if names.keys() <= given.keys():
        return {tensor: given[name] for name, tensor in names.items()}
    if len(given) == len(inputs):
        return dict(zip(inputs.values(), given.values(), strict=True))
    raise GraphError(
        f"the call `{call.outputs[0]}` gives {len(given)} tensors to `{graph.name}`, "
        f"which has {len(inputs)} inputs"
    )


def check_node_count(graph: Graph, most: int = MOST_NODES) -> None:
    """None; raises `GraphError` if nested calls multiply to more nodes, and twice those that are written."""
    count, most = count_nodes(graph), max(most, 2 * _count_written(graph))
    if count > most:
        number = f"{count:,}" if count < 10**18 else "more than 10^18"
        raise GraphError(
            f"`{graph.name}` has {number} nodes with the insides of all calls, more than {most:,}",
            hint="look at it with nested models closed, or at one of them by itself",
        )


def count_nodes(graph: Graph) -> int:
    """How many calls there are, an inside once for each call of it: as many as `every_node` gives, but for
    what lies outside of a part. Takes time in proportion to what is written, not to them.
    """
    return _count_calls(graph, frozenset())


def _count_written(graph: Graph) -> int:
    """How many nodes there are, each inside once."""
    return len(graph.nodes) + sum(_count_written(layer.graph) for layer in graph.layers if layer.graph)


def _count_calls(graph: Graph, given: Set[NodeKey]) -> int:
    inside = {
        layer.name: _count_calls(layer.graph, layer.graph.input_keys) - bool(layer.repeats)
        for layer in graph.layers
        if layer.graph
    }
    nodes = (node for node in graph.nodes if node.key not in given and not node.outside)
    return sum(1 + inside.get(node.layer, 0) for node in nodes)
