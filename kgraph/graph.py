"""The four nouns: a `Graph` of `Layer`s and `Node`s that read and make `Tensor`s.

All are frozen, and right once they exist: a graph checks itself at birth and raises `GraphError`.
Equality is about structure alone; what a source may not know (shapes, dtypes, weights, configs) is
an annotation, and comparison passes over it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from kgraph.errors import NOT_SO_DEEP, GraphError
from kgraph.structures import Arguments, Slots
from kgraph.weight_statistics import Statistics

if TYPE_CHECKING:
    from os import PathLike

Shape = tuple[int | None, ...]
LEVELS = 90  # of models in models; as deep as JSON may be, and as Python follows calls in calls
ADDRESS = re.compile(r"(.*)#(\d+)(?::(\d+))?", re.DOTALL)  # a full one
NodeKey = tuple[str, int]  # what tells a node from all others of its graph: (layer, node_index)


@dataclass(frozen=True, slots=True)
class Tensor:
    """One output of one call of one layer; tensors are equal when they come from the same place.

    `shape` includes the batch dimension, `None` for a free one, as Keras writes it. `shape` and
    `dtype` are `None` where the source does not say. The counterpart of `KerasTensor._keras_history`,
    but `node_index` counts only this model's calls of the layer, from 0.
    """

    layer: str
    node_index: int = 0
    tensor_index: int = 0
    shape: Shape | None = field(default=None, compare=False)
    dtype: str | None = field(default=None, compare=False)
    # True where the file does not record the shape, but the layer's config gives it beyond doubt.
    derived: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        """The full address: `encoder/conv#1:2`; tensor 0 is not written out.

        >>> str(Tensor("encoder/conv", 1, 2)), str(Tensor("dense"))
        ('encoder/conv#1:2', 'dense#0')
        """
        return self.maker + self.short[len(self.layer) :]

    def __repr__(self) -> str:
        shape = "?" if self.shape is None else tuple(self.shape)
        return f"<Tensor {self} {shape} {self.dtype or '?'}>"

    @property
    def key(self) -> NodeKey:
        """The key of the node that makes it."""
        return self.layer, self.node_index

    @property
    def maker(self) -> str:
        """The address of the node that makes it: `encoder/conv#1`."""
        return call_address(self.layer, self.node_index)

    @property
    def short(self) -> str:
        """The address without the call, which is enough where its layer is called once: `lstm:2`."""
        return f"{self.layer}:{self.tensor_index}" if self.tensor_index else self.layer


def call_address(layer: str, node_index: int) -> str:
    """The address of one call of a layer: `encoder/conv#1`."""
    return f"{layer}#{node_index}"


def output_address(slot: str) -> str:
    """What an output at a slot is called among addresses: `output[slot]`."""
    return f"output[{slot}]"


def parse_address(address: str) -> Tensor:
    """The tensor that a full address names, the reverse of `str(tensor)`; `ValueError` for another text.

    >>> parse_address("encoder/conv#1:2").node_index
    1
    """
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(f"`{address}` is not the full address of a tensor, as `conv#0` or `lstm#0:1`")
    return Tensor(match[1], int(match[2]), int(match[3] or 0))


@dataclass(frozen=True, slots=True)
class Node:
    """One call of one layer: what it reads, slot by slot, what else it is given, and what it makes."""

    layer: str
    node_index: int = 0
    inputs: Slots = field(default_factory=Slots)
    # Annotations. Of `outputs` the source may know only those that are read, never fewer than one.
    outputs: tuple[Tensor, ...] = field(default=(), compare=False)
    # The calls of nested models it stands in, outermost first; `flatten` fills this.
    within: tuple[str, ...] = field(default=(), compare=False)
    # What else the call is given, and of an operation what it was made with; see `Arguments`.
    arguments: Arguments = field(default_factory=Arguments)
    # True where it only stands for what a part of a graph (`kgraph.subgraph`) was cut from.
    outside: bool = field(default=False, compare=False)
    # Of a call of a nested model, where its calls have different shapes inside: the shapes of this one, by
    # the addresses in the flat model. None: all calls have those of the tensors inside.
    inner_shapes: Mapping[str, Shape | None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, Slots):
            object.__setattr__(self, "inputs", Slots(self.inputs))
        if not isinstance(self.arguments, Arguments):
            object.__setattr__(self, "arguments", Arguments(self.arguments))
        if not self.outputs:
            object.__setattr__(self, "outputs", (Tensor(self.layer, self.node_index),))
        if self.node_index < 0:
            raise GraphError(f"`{self.address}` has a negative index")
        for tensor in self.outputs:
            if tensor.layer != self.layer or tensor.node_index != self.node_index:
                raise GraphError(f"`{self.address}` cannot make `{tensor}`, which is another's")
            if tensor.tensor_index < 0:
                raise GraphError(f"`{tensor}` has a negative index")

    @property
    def key(self) -> NodeKey:
        """What tells this node from all others of its graph: (layer, node_index)."""
        return self.layer, self.node_index

    @property
    def address(self) -> str:
        """Its address: `encoder/conv#1`."""
        return call_address(self.layer, self.node_index)


@dataclass(frozen=True, slots=True)
class Weight:
    """A variable of a layer: its name below the layer, shape, dtype, and whether training moves it.

    `trainable` is `None` where the source does not say (a custom layer's variables in a file).
    """

    name: str
    shape: Shape
    dtype: str
    trainable: bool | None = None
    # True where it would be trained, had nobody frozen it; statistics and seeds are never trained.
    frozen: bool = False
    # The path of the weight of an earlier layer that is the same variable, and what that rests on.
    same_as: str | None = None
    same_by: str | None = None
    # A digest of the values; None: not read; "": all equal, or no other weight has this shape and dtype.
    digest: str | None = None
    statistics: Statistics | None = None  # None: not read, or of a dtype without an order


@dataclass(frozen=True)
class Layer:
    """A layer, a bare operation, or a nested model (then `graph` is its inside).

    `name` is unique in its graph and is a path in a flat graph: `encoder/conv`.
    """

    name: str
    class_name: str
    graph: Graph | None = None
    # True where `graph` is the inside of a model that this layer wraps, as TimeDistributed does:
    # the wrapper decides how the inside is called, so it is never put in the wrapper's place.
    wraps: bool = False
    # Not 0 for what `fold` closed: `graph` holds so many blocks that are alike, one after the other, and
    # the layers in it keep the names they have outside of it.
    repeats: int = 0
    # Annotations.
    module: str | None = field(default=None, compare=False)
    registered_name: str | None = field(default=None, compare=False)
    config: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    build_config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    trainable: bool | None = field(default=None, compare=False)
    # Its own variables, without those of the layers in `graph`; None: the source does not say.
    weights: tuple[Weight, ...] | None = field(default=None, compare=False)
    # The path of an earlier entry that is the same Keras object, and what that rests on (`reports.evidence`).
    same_as: str | None = field(default=None, compare=False)
    same_by: str | None = field(default=None, compare=False)
    # In a plan: the address of the tensor that a new input stands for; the layer that a part of one is of.
    stands_for: str | None = field(default=None, compare=False)
    origin: str | None = field(default=None, compare=False)

    @property
    def source_name(self) -> str:
        """In a plan: the name that the layer, or the one it is a part of, has in the whole graph."""
        return self.origin or self.name

    def __post_init__(self) -> None:
        if self.repeats and (self.graph is None or self.wraps or len(self.graph.inner_nodes) % self.repeats):
            raise GraphError(f"`{self.name}` does not hold {self.repeats} blocks of as many nodes each")


@dataclass(frozen=True)
class Graph:
    """A functional model: layers, nodes each after the nodes it reads, and the two ends."""

    name: str
    layers: tuple[Layer, ...]
    nodes: tuple[Node, ...]
    inputs: Slots
    outputs: Slots
    # Annotations.
    class_name: str = field(default="Functional", compare=False)
    source: str | None = field(default=None, compare=False)
    format: str | None = field(default=None, compare=False)
    keras_version: str | None = field(default=None, compare=False)
    weights: tuple[Weight, ...] | None = field(default=None, compare=False)
    build_config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    compile_config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs"):
            if not isinstance(getattr(self, name), Slots):
                object.__setattr__(self, name, Slots(getattr(self, name)))
        if self.depth > LEVELS:
            raise too_deep_error(self.name)
        self._check_layers()
        self._check_nodes()

    def _check_layers(self) -> None:
        if len(self._layers) != len(self.layers):
            names = Counter(layer.name for layer in self.layers)
            twice = next(name for name, times in names.items() if times > 1)
            raise GraphError(f"two layers of `{self.name}` are named `{twice}`")

    def _check_nodes(self) -> None:
        made: set[NodeKey] = set()
        for node in self.nodes:
            if node.layer not in self._layers:
                raise GraphError(f"`{self.name}` has a node of `{node.layer}`, which is not a layer of it")
            if node.key in made:
                raise GraphError(f"`{self.name}` has two nodes `{node.address}`")
            for slot, tensor in node.inputs.items():
                if tensor.key not in made or tensor.tensor_index < 0:
                    raise GraphError(
                        f"`{node.address}` reads `{tensor}` at `{slot}`, which no earlier node makes"
                    )
            made.add(node.key)
        for end, slots in (("input", self.inputs), ("output", self.outputs)):
            for slot, tensor in slots.items():
                if tensor.key not in made or tensor.tensor_index < 0:
                    raise GraphError(f"the {end} `{slot}` of `{self.name}`, `{tensor}`, is made by no node")

    @cached_property
    def depth(self) -> int:
        """How many graphs lie in each other, itself included."""
        return 1 + max((layer.graph.depth for layer in self.layers if layer.graph), default=0)

    @cached_property
    def _layers(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _nodes(self) -> dict[NodeKey, Node]:
        return {node.key: node for node in self.nodes}

    @cached_property
    def _nodes_of(self) -> dict[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {layer.name: [] for layer in self.layers}
        for node in self.nodes:
            found[node.layer].append(node)
        return {name: tuple(sorted(nodes, key=lambda node: node.node_index)) for name, nodes in found.items()}

    @cached_property
    def _readers(self) -> dict[Tensor, tuple[tuple[Node, str], ...]]:
        found: dict[Tensor, list[tuple[Node, str]]] = {}
        for node in self.nodes:
            for slot, tensor in node.inputs.items():
                found.setdefault(tensor, []).append((node, slot))
        return {tensor: tuple(readers) for tensor, readers in found.items()}

    def __contains__(self, name: object) -> bool:
        """Whether there is a layer of that exact name."""
        return name in self._layers

    def layer(self, name: str) -> Layer:
        """The layer of that exact name; `GraphError` if there is none."""
        if name not in self._layers:
            raise GraphError(f"`{self.name}` has no layer `{name}`")
        return self._layers[name]

    def node(self, tensor: Tensor) -> Node:
        """The node that makes the tensor; `GraphError` if there is none."""
        try:
            return self._nodes[tensor.key]
        except KeyError:
            raise GraphError(f"no node of `{self.name}` makes `{tensor}`") from None

    def nodes_of(self, name: str) -> tuple[Node, ...]:
        """The calls of a layer, in the order of their index."""
        return self._nodes_of.get(name, ())

    def readers(self, tensor: Tensor) -> tuple[tuple[Node, str], ...]:
        """Who reads the tensor: (node, slot) pairs, in graph order."""
        return self._readers.get(tensor, ())

    def span(self, name: str) -> int:
        """How many indexes one call of the graph takes of a layer's: one more than the highest."""
        nodes = self.nodes_of(name)
        if not nodes:
            raise GraphError(f"`{self.name}` has no call of `{name}`")
        return nodes[-1].node_index + 1

    @cached_property
    def input_keys(self) -> frozenset[NodeKey]:
        """The keys of the nodes that make an input of the graph."""
        return frozenset(tensor.key for tensor in self.inputs.values())

    @cached_property
    def output_keys(self) -> frozenset[NodeKey]:
        """The keys of the nodes that make an output of the graph."""
        return frozenset(tensor.key for tensor in self.outputs.values())

    @cached_property
    def node_places(self) -> dict[NodeKey, int]:
        """Where each node stands in the graph's order, from 0."""
        return {node.key: place for place, node in enumerate(self.nodes)}

    @cached_property
    def layer_places(self) -> dict[str, int]:
        """Where each layer stands in the graph's order, from 0."""
        return {layer.name: place for place, layer in enumerate(self.layers)}

    @cached_property
    def output_list(self) -> tuple[tuple[str, Tensor], ...]:
        """The outputs by their number: (slot, tensor)."""
        return tuple(self.outputs.items())

    @cached_property
    def inner_nodes(self) -> tuple[Node, ...]:
        """The nodes that make no input of the graph."""
        return tuple(node for node in self.nodes if node.key not in self.input_keys)

    @cached_property
    def shared(self) -> tuple[Layer, ...]:
        """The layers with more than one node, in graph order, operations included."""
        return tuple(layer for layer in self.layers if len(self.nodes_of(layer.name)) > 1)

    def address(self, tensor: Tensor) -> str:
        """The shortest address: the node index is written only where the layer has several nodes."""
        return str(tensor) if len(self.nodes_of(tensor.layer)) > 1 else tensor.short

    def __repr__(self) -> str:
        return (
            f"<Graph {self.name!r}: {len(self.layers)} layers, {len(self.nodes)} nodes, "
            f"{len(self.inputs)} inputs, {len(self.outputs)} outputs>"
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows; the drawing is imported once it is wanted."""
        from kgraph.notebook.display import mimebundle

        return mimebundle(self)


def too_deep_error(name: str) -> GraphError:
    """What to say of a model that has more models in models than anything here follows."""
    return GraphError(f"`{name}` has models in models, more than {LEVELS} deep", hint=NOT_SO_DEEP)


class KerasModel(Protocol):
    """A live model of Keras 3, as far as type checkers are told of it."""

    def count_params(self) -> int: ...


Source: TypeAlias = "Graph | str | PathLike[str] | KerasModel"  # what `kgraph.read` takes
Given = ParamSpec("Given")
Result = TypeVar("Result")


def reads_source(
    verb: Callable[Concatenate[Graph, Given], Result],
) -> Callable[Concatenate[Source, Given], Result]:
    """The verb, which then takes a path or a live model too in the place of its graph, and reads it first."""

    @wraps(verb)
    def on_source(graph: Source, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        if isinstance(graph, Graph):
            return verb(graph, *args, **kwargs)
        from kgraph.sources import read

        return verb(read(graph), *args, **kwargs)

    on_source.__annotations__ = {**verb.__annotations__, "graph": "Source"}
    on_source.__doc__ = (
        f"{verb.__doc__}\n    `graph` may also be what `kgraph.read` takes: a path, or a live model.\n    "
    )
    return on_source  # type: ignore[return-value]  # a keyword `graph` is taken too
