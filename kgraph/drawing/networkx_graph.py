"""Graph → `networkx.MultiDiGraph`, and that as GraphML, which Gephi and yEd open. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kgraph.drawing.rows import to_rows
from kgraph.errors import KGraphError
from kgraph.extras import require
from kgraph.graph import Graph, Tensor, reads_source
from kgraph.texts import escape_unprintable, json_text

if TYPE_CHECKING:
    import networkx

# XML 1.0 has no other characters; and of a carriage return it makes a line end.
NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LARGEST = 2**63 - 1  # of GraphML's `long`


@reads_source
def to_networkx(graph: Graph) -> networkx.MultiDiGraph:
    """The graph as a `networkx.MultiDiGraph`, whose attributes are texts, whole numbers and flags.

    A node is a call under its full address, `encoder#1`, in graph order. It has `label` (the call as queries
    have it), `layer`, `node_index`, `class`, `module`, `settings`, `shape` and `dtype` of its first tensor,
    `params` (as in `to_rows`), `trainable`, `within` (the calls of nested models that it stands in),
    `is_input`, `is_output` and `config` (JSON). An edge is a read; its key is a number that no other edge
    has, and it has `slot`, `tensor` (full address), `tensor_index`, `shape` and `dtype`. The graph has
    `name`, `class`, `source`, `format`, `keras_version`, and `inputs` and `outputs`, JSON from slot to
    full address.
    What the source does not say is left out. A nested model is one node;
    `to_networkx(kgraph.flatten(model))` has those inside. `networkx.write_graphml` takes it as it is.
    Raises `KGraphError` where networkx, which the extra `networkx` brings, is not installed.
    """
    made = require("networkx", "a graph of networkx").MultiDiGraph(
        **_known_attributes(_model_attributes(graph))
    )
    for row, node in zip(to_rows(graph), graph.nodes, strict=True):
        attributes = {
            "label": row["name"],
            **{key: row[key] for key in ("layer", "node_index", "class", "module", "settings")},
            **_tensor_attributes(node.outputs[0]),
            **{key: row[key] for key in ("params", "trainable")},
            "within": " ".join(node.within),
            "is_input": node.key in graph.input_keys,
            "is_output": node.key in graph.output_keys,
            "config": _json(row["config"]) if row["config"] else None,
        }
        made.add_node(node.address, **_known_attributes(attributes))
    reads = [(node, slot, tensor) for node in graph.nodes for slot, tensor in node.inputs.items()]
    for number, (node, slot, tensor) in enumerate(reads):
        attributes = {
            "slot": slot,
            "tensor": str(tensor),
            "tensor_index": tensor.tensor_index,
            **_tensor_attributes(tensor),
        }
        made.add_edge(tensor.maker, node.address, key=number, **_known_attributes(attributes))
    return made


def to_graphml(graph: Graph) -> str:
    """The same as GraphML; raises `KGraphError` for what of the graph it cannot hold."""
    made = to_networkx(graph)
    for name, attributes in made.nodes(data=True):
        _check_held(f"`{escape_unprintable(name)}`", {"": name, **attributes})
    for _, reader, attributes in made.edges(data=True):
        _check_held(f"a read of `{escape_unprintable(reader)}`", attributes)
    _check_held(f"`{escape_unprintable(graph.name)}`", made.graph)
    lines = require("networkx", "GraphML").generate_graphml(made, prettyprint=True)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + "\n".join(lines) + "\n"


def _check_held(whose: str, attributes: dict[str, Any]) -> None:
    for key, value in attributes.items():
        what = f"the {key} of {whose}" if key else whose
        if isinstance(value, str) and (found := NO_XML.search(value)):
            sign = escape_unprintable(found[0])
            raise KGraphError(
                f"GraphML cannot hold {what}: XML has no character `{sign}`", hint="`-o graph.json` holds all"
            )
        if type(value) is int and value > LARGEST:
            raise KGraphError(
                f"GraphML cannot hold {what}: {value:,} is beyond 64 bits", hint="`-o graph.json` holds all"
            )


def _model_attributes(graph: Graph) -> dict[str, Any]:
    return {
        "name": graph.name,
        "class": graph.class_name,
        "source": escape_unprintable(graph.source) if graph.source else None,
        "format": graph.format,
        "keras_version": graph.keras_version,
        "inputs": _json({slot: str(tensor) for slot, tensor in graph.inputs.items()}),
        "outputs": _json({slot: str(tensor) for slot, tensor in graph.outputs.items()}),
    }


def _tensor_attributes(tensor: Tensor) -> dict[str, Any]:
    return {"shape": None if tensor.shape is None else str(tensor.shape), "dtype": tensor.dtype}


def _known_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Those that say something: GraphML has no None, and reads an empty text as none."""
    return {key: value for key, value in attributes.items() if value not in (None, "")}


def _json(value: Any) -> str:
    return json_text(value, indent=None)
