"""Graph → Graph: groups of nodes as one layer each, which holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from kgraph.graph import Graph, Layer, Node, NodeKey, Tensor
from kgraph.structures import Slots
from kgraph.transforms.toposort import order_nodes

CLASS, STAGE = "Block", "Stage"  # stand where a layer has its Keras class


@dataclass
class NodeGroup:
    """Nodes that are to be one layer: what they read from elsewhere, what of them is read elsewhere."""

    name: str
    members: Sequence[NodeKey]
    repeats: int
    class_name: str = CLASS
    layers: list[Layer] = field(default_factory=list)
    given: dict[Tensor, Node] = field(default_factory=dict)  # with the nodes that make it
    ends: dict[Tensor, int] = field(default_factory=dict)

    def end(self, tensor: Tensor) -> Tensor:
        """A tensor that a member makes, as it is known outside."""
        return Tensor(self.name, 0, self.ends[tensor], tensor.shape, tensor.dtype, tensor.derived)

    def layer(self, graph: Graph) -> Layer:
        """The layer that holds this part of the graph."""
        edge = {node.key: Node(*node.key, outputs=node.outputs) for node in self.given.values()}
        makers = dict.fromkeys(name for name, _ in edge)
        stubs = (_stub(graph.layer(name)) for name in makers)
        members = (graph.node(Tensor(*key)) for key in self.members)
        nodes = (replace(node, within=()) if node.within else node for node in members)
        inside = Graph(
            self.name,
            (*stubs, *self.layers),
            (*edge.values(), *nodes),
            Slots(_number_slots(self.given, "")),
            Slots(_number_slots(self.ends, "")),
            class_name=self.class_name,
        )
        return Layer(self.name, self.class_name, inside, repeats=self.repeats, weights=())


def group_nodes(graph: Graph, groups: Sequence[NodeGroup]) -> Graph:
    """The graph with each group as one layer."""
    if not groups:
        return graph
    homes = {key: group for group in groups for key in group.members}

    def home(tensor: Tensor) -> NodeGroup | None:
        return homes.get(tensor.key)

    def move(tensor: Tensor) -> Tensor:
        maker = home(tensor)
        return maker.end(tensor) if maker else tensor

    for node in graph.nodes:
        reader = homes.get(node.key)
        for tensor in node.inputs.values():
            maker = home(tensor)
            if reader and maker is not reader:
                reader.given.setdefault(tensor, graph.node(tensor))
            if maker and maker is not reader:
                maker.ends.setdefault(tensor, len(maker.ends))
    for tensor in graph.outputs.values():
        if maker := home(tensor):
            maker.ends.setdefault(tensor, len(maker.ends))

    by_name = {name: group for group in groups for name, _ in group.members}
    layers: dict[str, Layer | NodeGroup] = {}
    for layer in graph.layers:
        if group := by_name.get(layer.name):
            group.layers.append(layer)
        layers.setdefault(group.name if group else layer.name, group or layer)
    nodes = [
        replace(node, inputs=node.inputs.map(move)) if any(map(home, node.inputs.values())) else node
        for node in graph.nodes
        if node.key not in homes
    ]
    for group in groups:
        inputs = Slots(_number_slots(map(move, group.given), "0"))
        within = graph.node(Tensor(*group.members[0])).within
        nodes.append(Node(group.name, 0, inputs, tuple(map(group.end, group.ends)), within))
    new_layers = tuple(item.layer(graph) if isinstance(item, NodeGroup) else item for item in layers.values())
    outputs = graph.outputs.map(move)
    return replace(graph, layers=new_layers, nodes=order_nodes(new_layers, nodes), outputs=outputs)


def _stub(layer: Layer) -> Layer:
    """What stands for a layer in a group that reads what it makes."""
    is_plain = layer.graph is None and layer.weights == ()
    return layer if is_plain else replace(layer, graph=None, repeats=0, weights=())


def _number_slots(tensors: Iterable[Tensor], slot: str) -> list[tuple[str, Tensor]]:
    """The tensors at a slot, or at places below it if they are several."""
    several = list(tensors)
    if len(several) < 2:
        return [(slot, tensor) for tensor in several]
    return [(f"{slot}.{i}".lstrip("."), tensor) for i, tensor in enumerate(several)]


def first_block(layer: Layer) -> Graph:
    """What of a folded layer is shown: its first block, which makes what the last one makes."""
    graph = layer.graph
    assert graph is not None
    block = graph.inner_nodes[: len(graph.inner_nodes) // layer.repeats]
    place = {node.key: i % len(block) for i, node in enumerate(graph.inner_nodes)}
    edge = tuple(node for node in graph.nodes if node.key not in place)
    names = {node.layer for node in (*edge, *block)}
    firsts = (block[place[t.key]] for t in graph.outputs.values())
    ends = (
        (slot, replace(t, layer=node.layer, node_index=node.node_index))
        for (slot, t), node in zip(graph.outputs.items(), firsts, strict=True)
    )
    layers = tuple(layer for layer in graph.layers if layer.name in names)
    return replace(graph, layers=layers, nodes=edge + block, outputs=Slots(ends))
