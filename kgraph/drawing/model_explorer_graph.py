"""Graph → the JSON of Google's Model Explorer; and what calls cost, as colours there. Pure.

The forms are those of `graph_builder.py` and `node_data_builder.py` of ai-edge-model-explorer 0.1.34: a bare
list of graphs, with fields that hold nothing left out, opens without a plug-in; node data go by the id of the
graph, then by that of the node.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kgraph.drawing.describe import (
    arguments_text,
    call_counts,
    call_sign,
    format_count,
    inner_summary,
    keras_shape,
    telling_settings,
    training_state,
)
from kgraph.graph import Graph, Node, Tensor, parse_address, reads_source
from kgraph.layers import every_layer
from kgraph.reports.costs import FIGURES, Costs
from kgraph.sizes import Size, graph_size, layer_size
from kgraph.structures import slot_text
from kgraph.texts import escape_unprintable
from kgraph.transforms.flatten import flatten
from kgraph.transforms.walk import check_node_count

OTHER_CALLS = "other calls of this layer"  # the links of shared layers
LONGEST = 300  # characters of a setting
MOST_LINKS = 50  # to other calls; all to all would grow with the square
# What parts a namespace there (`/`), or begins another (`;`), as signs that look like it.
NAMESPACE_SIGNS = str.maketrans({"/": "∕", ";": "；"})
HEAT = [
    {"stop": 0, "bgColor": "#fff7ec"},
    {"stop": 0.5, "bgColor": "#fdbb84"},
    {"stop": 1, "bgColor": "#e34a33"},
]

Data = dict[str, Any]


@reads_source
def to_model_explorer(graph: Graph) -> str:
    """The graph as JSON text that Model Explorer opens as it is: `model-explorer model.me.json`.

    A node is a call; its id is the full address. Nested models are open at every depth, each call of one
    a namespace of its own. What wrappers (`TimeDistributed`) hold is a graph beside, to which the wrapper
    leads. A layer that is called several times has links to its other calls. Raises `GraphError` for models
    with too many nodes to be opened.
    """
    return json.dumps(model_explorer_graphs(graph), indent=1)


def model_explorer_graphs(graph: Graph) -> list[Data]:
    """The same as plain values: the model first, then what wrappers hold, at every depth."""
    check_node_count(graph)
    return list(_graphs(graph, graph.name))


def to_model_explorer_costs(costs: Costs, figure: str = "macs") -> str:
    """What each call costs, as JSON text that colours the nodes of `to_model_explorer`: `--node_data_paths`.

    `figure` is `macs`, `elementwise`, `parameters` or `activation_bytes`; `ValueError` for another. A call
    of which it is not known has no entry, so it stays white.
    """
    if figure not in FIGURES:
        raise ValueError(f"there is no figure `{figure}`; there are {', '.join(FIGURES)}")
    known = {call.address: getattr(call, figure) for call in costs.calls}
    results = {address: {"value": amount} for address, amount in known.items() if amount is not None}
    return json.dumps({costs.graph.name: {"results": results, "name": figure, "gradient": HEAT}}, indent=1)


def _graphs(graph: Graph, name: str) -> Iterator[Data]:
    """The graph under an id, then those of the models that its wrappers hold."""
    flat = flatten(graph)
    held = {layer.name: f"{name}/{layer.name}" for layer in flat.layers if layer.graph}
    nodes = _Nodes(flat, held)
    data = [nodes.data(node) for node in flat.nodes]
    yield {
        "id": name,
        "nodes": data,
        "groupNodeAttributes": {"": _model_texts(graph), **_namespace_texts(graph, nodes)},
    }
    for layer in flat.layers:
        if layer.graph:
            yield from _graphs(layer.graph, held[layer.name])


@dataclass(frozen=True)
class _Nodes:
    """The nodes of a flat graph; `held` are the ids of the graphs that wrappers lead to, by layer."""

    flat: Graph
    held: Mapping[str, str]
    spaces: dict[tuple[str, ...], str] = field(default_factory=lambda: {(): ""})

    @cached_property
    def counts(self) -> dict[str, int]:
        return call_counts(self.flat)

    @cached_property
    def ends(self) -> dict[str, dict[str, list[str]]]:
        """Which inputs and outputs of the model a tensor is, by its address."""
        found: dict[str, dict[str, list[str]]] = {}
        for word, slots in (("input", self.flat.inputs), ("output", self.flat.outputs)):
            by_tensor = found.setdefault(word, defaultdict(list))
            for slot, tensor in slots.items():
                by_tensor[str(tensor)].append(slot_text(slot) or "the only one")
        return found

    def data(self, node: Node) -> Data:
        """A node as Model Explorer has it."""
        reads = list(enumerate(node.inputs.items()))
        return {
            "id": node.address,
            "label": self._local_name(node.address, node.within),
            "namespace": self.namespace(node.within),
            **({"subgraphIds": [self.held[node.layer]]} if node.layer in self.held else {}),
            "attrs": [{"key": key, "value": value} for key, value in self._attributes(node).items()],
            "incomingEdges": [
                {
                    "sourceNodeId": tensor.maker,
                    "sourceNodeOutputId": str(tensor.tensor_index),
                    "targetNodeInputId": str(place),
                }
                for place, (_, tensor) in reads
            ],
            "inputsMetadata": [_metadata(place, __tensor_tag=slot_text(slot)) for place, (slot, _) in reads],
            "outputsMetadata": [self._output(tensor) for tensor in node.outputs],
        }

    def namespace(self, within: tuple[str, ...]) -> str:
        """The namespace of what stands in these calls of nested models."""
        if within not in self.spaces:
            name = self._local_name(within[-1], within[:-1]).translate(NAMESPACE_SIGNS)
            around = self.namespace(within[:-1])
            self.spaces[within] = f"{around}/{name}" if around else name
        return self.spaces[within]

    def _local_name(self, call: str, within: tuple[str, ...]) -> str:
        """The name of a call inside the calls that it stands in, with its sign where there are several."""
        path = f"{parse_address(within[-1]).layer}/" if within else ""
        name = parse_address(call).layer.removeprefix(path) + call_sign(call, self.counts)
        return escape_unprintable(name) or "''"  # a namespace without a name is the model itself

    def _attributes(self, node: Node) -> Data:
        """What is told of a node: what it is, then its settings."""
        layer = self.flat.layer(node.layer)
        said = {
            "call": self.flat.address(node.outputs[0]),
            "class": layer.class_name,
            "settings": telling_settings(layer),
            "arguments": arguments_text(node, layer, most=LONGEST),
            "parameters": _parameters(layer_size(layer)),
            "trainable": training_state(layer),
            "outside": "of the part that was asked for" if node.outside else "",
        }
        own: Data = {key: value for key, value in said.items() if value}
        calls = self.flat.nodes_of(node.layer)
        others = [other.address for other in calls[: MOST_LINKS + 1] if other is not node][:MOST_LINKS]
        if others:
            left_out = len(calls) - 1 - len(others)
            key = f"{OTHER_CALLS}, the first {MOST_LINKS} of {len(calls) - 1:,}" if left_out else OTHER_CALLS
            own[key] = {"type": "node_ids", "nodeIds": others}
        settings = {key: _setting(value) for key, value in layer.config.items() if value is not None}
        return own | {key: text for key, text in settings.items() if key not in own and key != "name"}

    def _output(self, tensor: Tensor) -> Data:
        ends = {
            f"{word} of the model": ", ".join(slots[str(tensor)])
            for word, slots in self.ends.items()
            if str(tensor) in slots
        }
        return _metadata(
            tensor.tensor_index,
            __tensor_tag=self.flat.address(tensor),
            tensor_shape=keras_shape(tensor.shape),
            dtype=tensor.dtype or "?",
            **ends,
        )


def _metadata(place: int, **texts: str) -> Data:
    return {"id": str(place), "attrs": [{"key": key, "value": text} for key, text in texts.items()]}


def _setting(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _parameters(size: Size | None) -> str:
    return format_count(size.parameters if size else None)


def _model_texts(graph: Graph) -> dict[str, str]:
    """What is told where no node is chosen; what the source does not say is left out."""
    said = {
        "model": graph.name,
        "class": graph.class_name,
        "format": graph.format,
        "Keras": graph.keras_version,
        "parameters": _parameters(graph_size(graph)),
    }
    return {key: text for key, text in said.items() if text}


def _namespace_texts(graph: Graph, nodes: _Nodes) -> dict[str, dict[str, str]]:
    """What is told of each call of a nested model, by its namespace; of those that `nodes` came to."""
    layers = dict(every_layer(graph))
    texts = {}
    for within, space in nodes.spaces.items():
        if not within:
            continue
        texts[space] = told = {"call": within[-1]}
        layer = layers.get(parse_address(within[-1]).layer)
        if layer and layer.graph:  # else the graph was flat before
            size = _parameters(graph_size(layer.graph))
            told |= {"class": layer.class_name, "holds": inner_summary(layer), "parameters": size}
    return texts
