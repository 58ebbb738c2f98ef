"""Graph → Graph: the canonical order, and nested models put in place of their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Slots, Tensor
from kgraph.layers import inner_path, is_nested
from kgraph.transforms.toposort import order_nodes

MOST_NODES = 1_000_000


# The graph that is to stand in place of the calls of a layer; None: the layer stays closed.
Inside = Callable[[Layer, int], Graph | None]


def _graph_to_open(layer: Layer, depth: int) -> Graph | None:
    return layer.graph if is_nested(layer) else None


def flatten(graph: Graph) -> Graph:
    """The graph with the inside of each nested model in place of each call of it, at every depth.

    A nested model `encoder` called twice becomes ordinary layers `encoder/conv` with two nodes
    each; `Node.within` keeps the calls a node came from. Models inside wrappers (`TimeDistributed`)
    stay closed. An inside is joined to its surroundings by its inputs and outputs, so its own
    InputLayers are gone. A mask given to a nested call is read, as `mask`, by the nodes that read
    the masked input. What `fold` closed is as it was before, names and all; what lies outside of a part
    stays closed.
    """
    return open_layers(graph, _graph_to_open)


def open_layers(graph: Graph, inside: Inside, *, framed: bool = False) -> Graph:
    """The graph with what `inside` gives for a layer, and for how deep it lies (from 0), in place of
    its calls. `framed` notes in `Node.within` what came from a run of blocks, too.
    """
    if not any(inside(layer, 0) for layer in graph.layers):
        return graph
    check_node_count(graph)
    layers = tuple(_layers_in_place(graph, inside))
    call = _Call(graph, _Opening(inside, framed=framed))
    nodes = order_nodes(layers, (node for node, _ in call.nodes()))
    return replace(
        graph,
        layers=layers,
        nodes=nodes,
        inputs=call.move_slots(graph.inputs),
        outputs=call.move_slots(graph.outputs),
    )


def check_node_count(graph: Graph) -> None:
    """Nothing; raises `GraphError` if nested calls multiply to more nodes than anyone could look at."""
    count = _count_nodes(graph)
    if count > MOST_NODES:
        number = f"{count:,}" if count < 10**18 else "more than 10^18"
        raise GraphError(
            f"`{graph.name}` has {number} nodes with the insides of all calls, more than {MOST_NODES:,}",
            hint="look at it with nested models closed, or at one of them by itself",
        )


def _count_nodes(graph: Graph) -> int:
    """The nodes with those inside each call; takes time in proportion to what is written, not to them."""
    inside = {layer.name: _count_nodes(layer.graph) for layer in graph.layers if layer.graph}
    return sum(1 + inside.get(node.layer, 0) for node in graph.nodes)


def _layers_in_place(graph: Graph, inside: Inside, path: str = "", depth: int = 0) -> Iterator[Layer]:
    ends = _input_only_layers(graph) if depth else set()
    outside = {node.layer for node in graph.nodes if node.outside}
    for layer in graph.layers:
        if layer.name in ends:
            continue
        if (inner := inside(layer, depth)) is not None:
            if layer.name in outside:
                yield replace(layer, graph=None, weights=())
            yield from _layers_in_place(inner, inside, inner_path(path, layer), depth + 1)
        else:
            yield replace(layer, name=path + layer.name) if path else layer


def _input_only_layers(graph: Graph) -> set[str]:
    """The layers that make nothing but inputs of the graph."""
    others = {node.layer for node in graph.nodes if node.key not in graph.given}
    return {layer for layer, _ in graph.given} - others


@dataclass(frozen=True)
class _Opening:
    """What is put in place of which calls; whether those calls are named too, and runs in `within`."""

    inside: Inside
    every: bool = False
    framed: bool = False


@dataclass
class _Call:
    """One call of a nested model put in place: under which path, which call of it, fed by what."""

    graph: Graph
    opening: _Opening
    path: str = ""
    number: int = 0
    given: Node | None = None
    within: tuple[str, ...] = ()
    depth: int = 0
    mask: Tensor | None = None
    masked: Set[Tensor] = frozenset()  # the inputs that are given with the mask
    steps: tuple[int | None, ...] = ()  # the axes that TimeDistributed wrappers put behind the batch
    ends: dict[Tensor, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fed = bind_inputs(self.given, self.graph) if self.given else {}
        self.inputs = set(self.graph.inputs.values()) if self.given else set()
        self.outside = {(t.layer, t.node_index) for t in self.inputs}
        # How many indexes one call of the graph takes of each layer's.
        self.span: dict[str, int] = {}
        for node in self.graph.nodes:
            self.span[node.layer] = max(self.span.get(node.layer, 0), node.node_index + 1)

    def nodes(self) -> Iterator[tuple[Node, Layer]]:
        """The nodes of the call under their new addresses, with their layers; an inside before its call."""
        for node in self.graph.nodes:
            if node.key in self.outside:
                continue
            moved, layer = self._move_node(node), self.graph.layer(node.layer)
            graph = None if node.outside else self.opening.inside(layer, self.depth)
            if graph is not None:
                inner = self._inner(node, moved, layer, graph)
                yield from inner.nodes()
                if not layer.wraps:
                    self._join(node, inner)
            if graph is None or (self.opening.every and not layer.repeats):
                yield moved, layer

    def _inner(self, node: Node, moved: Node, layer: Layer, graph: Graph) -> _Call:
        """The call of a graph by a node of this one, which has moved."""
        opening, path = self.opening, inner_path(self.path, layer)
        call = (*moved.within, str(moved.outputs[0]))
        if layer.repeats:
            masked = {end for end, tensor in bind_inputs(node, graph).items() if tensor in self.masked}
            within = call if opening.framed and layer.repeats > 1 else moved.within
            number, mask, steps = self.number, self.mask, self.steps
        else:
            masked, within = set(graph.inputs.values()), call
            number, mask = moved.node_index, moved.inputs.get("mask")
            steps = (*self.steps, *_steps(layer, moved)) if layer.wraps else self.steps
        return _Call(graph, opening, path, number, moved, within, self.depth + 1, mask, masked, steps)

    def _join(self, node: Node, inner: _Call) -> None:
        for index, tensor in enumerate(inner.move_slots(inner.graph.outputs).values()):
            self.ends[Tensor(*node.key, index)] = tensor

    def move_slots(self, slots: Slots) -> Slots:
        """The same slots with the tensors' new addresses; an input that was not given is left out."""
        pairs = ((slot, self._move_tensor(tensor)) for slot, tensor in slots.items())
        return Slots((slot, tensor) for slot, tensor in pairs if tensor is not None)

    def _move_tensor(self, tensor: Tensor) -> Tensor | None:
        if tensor in self.inputs:
            return self.fed.get(tensor)
        if tensor in self.ends:  # made inside a nested model; the call knows its shape at least as well
            end = self.ends[tensor]
            return replace(end, shape=tensor.shape or end.shape, dtype=tensor.dtype or end.dtype)
        index = self.number * self.span[tensor.layer] + tensor.node_index
        return replace(
            tensor, layer=self.path + tensor.layer, node_index=index, shape=self._with_steps(tensor)
        )

    def _move_node(self, node: Node) -> Node:
        inputs = self.move_slots(node.inputs)
        if self.given and not self.graph.inputs and not node.inputs:
            inputs = self.given.inputs  # a Sequential never built hands on what it is given
        if self.mask is not None and not self.masked.isdisjoint(node.inputs.values()):
            inputs = Slots({"mask": self.mask, **inputs})
        first = self._move_tensor(node.outputs[0])
        assert first is not None
        outputs = tuple(
            replace(t, layer=first.layer, node_index=first.node_index, shape=self._with_steps(t))
            for t in node.outputs
        )
        within = (*self.within, *node.within)
        return Node(first.layer, first.node_index, inputs, outputs, within, node.outside)

    def _with_steps(self, tensor: Tensor) -> Shape | None:
        if not self.steps or not tensor.shape:
            return tensor.shape
        return (*tensor.shape[:1], *self.steps, *tensor.shape[1:])


def _steps(wrapper: Layer, call: Node) -> tuple[int | None, ...]:
    """The time axis that a call of `TimeDistributed` steps along; other wrappers are not known to step."""
    given = next(iter(call.inputs.values()), None)
    known = wrapper.class_name == "TimeDistributed" and given is not None and given.shape
    return given.shape[1:2] if known and given and given.shape else ()


def every_node(graph: Graph) -> list[tuple[Node, Layer]]:
    """All nodes that have an address, with their layers: those of `flatten(graph)`, in its order; the
    calls of nested models, each after its inside; and the insides of wrapped models, before the wrapper.
    """
    if not any(layer.graph for layer in graph.layers):
        return [(node, graph.layer(node.layer)) for node in graph.nodes]
    check_node_count(graph)
    flat = {str(node.outputs[0]): i for i, node in enumerate(flatten(graph).nodes)}
    found = list(_Call(graph, _Opening(lambda layer, _: layer.graph, every=True)).nodes())
    last: dict[str, int] = {}
    for node, _ in found:
        for call in node.within:
            last[call] = max(last.get(call, -1), flat.get(str(node.outputs[0]), -1))

    def place(numbered: tuple[int, tuple[Node, Layer]]) -> tuple[int, int]:
        number, (node, _) = numbered
        wrapper = next((flat[call] for call in node.within if call in flat), None)
        own = str(node.outputs[0])
        return wrapper if wrapper is not None else flat.get(own, last.get(own, -1)), number

    return [pair for _, pair in sorted(enumerate(found), key=place)]


def bind_inputs(call: Node, graph: Graph) -> dict[Tensor, Tensor]:
    """Which tensor a call of a nested model gives to each input of its graph: input → given.

    By the place in the argument's structure; else, as Keras does (`Functional._standardize_inputs`,
    3.0-3.15), by the name of the input, else by position. Optional inputs given nothing are left out.
    """
    given = {
        "" if slot in ("0", "inputs") else slot.partition(".")[2]: tensor
        for slot, tensor in call.inputs.items()
        if slot.partition(".")[0] in ("0", "inputs")
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
