"""The static layer graph of functional Keras models: read it, draw it, see what is shared.

>>> from importlib.resources import files
>>> import kgraph
>>> graph = kgraph.read(files("kgraph") / "demo.keras")
>>> graph
<Graph 'tickets': 7 layers, 9 nodes, 2 inputs, 2 outputs>
>>> [layer.name for layer in graph.shared]
['embedding', 'encoder']
>>> [str(tensor) for tensor in kgraph.select(graph, "embedding")]
['embedding#0', 'embedding#1']
>>> [node.outputs[0].shape for node in graph.nodes_of("encoder")]
[(None, 24), (None, 24)]
>>> flat = kgraph.flatten(graph)
>>> [layer.name for layer in flat.layers if layer.name.startswith("encoder/")]
['encoder/conv', 'encoder/pool', 'encoder/summary']

Names are imported when they are first used, so that reading a file never waits for what it does
not need, and never for Keras or TensorFlow.
"""

# These two Python has loaded itself: while `python -m kgraph` comes here, a file of the current folder would
# be taken for any other.
import sys
from importlib import import_module

__version__ = "0.1.0"

# Module → the public names that live in it. Each is written here once; `__init__.pyi`, for type checkers,
# is made of this table, and a test holds it to that.
_PUBLIC = {
    "kgraph.graph": "Graph Layer Node Shape Tensor Weight",
    "kgraph.structures": "Arguments Slots",
    "kgraph.errors": "ConfigError ExtractError FormatError GraphError ImageError KGraphError NoGraphError "
    "NoMatchError QueryError ReadError SelectError UnsafeError",
    "kgraph.sources": "read",
    "kgraph.sources.audited_file": "audit",
    "kgraph.sources.model_pair": "diff",
    "kgraph.graph_json": "from_json to_json",
    "kgraph.sizes": "Size",
    "kgraph.weight_statistics": "Statistics",
    "kgraph.reports.totals": "Totals count_totals",
    "kgraph.training": "Training training_by_output",
    "kgraph.query": "select",
    "kgraph.transforms.flatten": "flatten",
    "kgraph.transforms.fold": "fold",
    "kgraph.transforms.keras_order": "renumber",
    "kgraph.transforms.shape_inference": "infer_shapes",
    "kgraph.transforms.stages": "stages",
    "kgraph.parts": "ancestors neighbourhood paths_between subgraph",
    "kgraph.reports.audit": "Audit Finding",
    "kgraph.reports.calls": "Call",
    "kgraph.reports.costs": "CallCost Costs PartCost UnknownClass costs",
    "kgraph.reports.cost_parts": "to_costs_json",
    "kgraph.reports.memory": "Peak",
    "kgraph.reports.changes": "Change Compared Diff Pair WeightChange",
    "kgraph.reports.differences": "to_diff_json",
    "kgraph.reports.objects": "Occurrence",
    "kgraph.reports.receptive_field": "AxisField ReceptiveField ReceptiveFields receptive_fields",
    "kgraph.reports.receptive_field_data": "to_receptive_fields_json",
    "kgraph.reports.sharing": "Holder Identical Shared Sharing Tied TopLayer sharing to_sharing_json",
    "kgraph.extraction.plan": "Queries plan",
    "kgraph.extraction.live": "extract",
    "kgraph.extraction.file": "convert extract_file",
    "kgraph.inference.activation_picture": "activation_grid",
    "kgraph.inference.run": "features",
    "kgraph.drawing.look": "Look",
    "kgraph.drawing.model_explorer_graph": "to_model_explorer to_model_explorer_costs",
    "kgraph.drawing.networkx_graph": "to_networkx",
    "kgraph.drawing.pictures.dot": "to_dot",
    "kgraph.drawing.pictures.mermaid": "to_mermaid",
    "kgraph.drawing.pictures.pydot_graph": "to_pydot",
    "kgraph.drawing.terminal.difference_text": "to_diff_markdown to_diff_text",
    "kgraph.drawing.terminal.graph_text": "to_text",
    "kgraph.drawing.terminal.costs_text": "to_costs_text",
    "kgraph.drawing.terminal.fields_text": "to_receptive_fields_text",
    "kgraph.drawing.terminal.sharing_text": "to_sharing_text",
    "kgraph.drawing.rows": "to_csv to_markdown to_rows",
    "kgraph.graphviz_engine": "render",
    "kgraph.page_engine": "to_html",
    "kgraph.notebook.view": "View save show",
    "kgraph.notebook.explorer": "Explorer explore",
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names.split()}
__all__ = [*_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(
            f"module `kgraph` has no attribute `{name}`", name=name, obj=sys.modules[__name__]
        )
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
