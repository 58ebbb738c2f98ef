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

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name → the module it lives in.
_HOMES = {
    **dict.fromkeys(("Graph", "Layer", "Node", "Slots", "Tensor", "Weight"), "kgraph.graph"),
    **dict.fromkeys(
        (
            "ConfigError",
            "ExtractError",
            "FormatError",
            "GraphError",
            "ImageError",
            "KGraphError",
            "NoGraphError",
            "NoMatchError",
            "QueryError",
            "ReadError",
            "SelectError",
            "UnsafeError",
        ),
        "kgraph.errors",
    ),
    "flatten": "kgraph.transform",
    "fold": "kgraph.folding",
    "renumber": "kgraph.order",
    **dict.fromkeys(("around", "between", "part", "subgraph"), "kgraph.parts"),
    **dict.fromkeys(("from_json", "to_json"), "kgraph.interchange"),
    **dict.fromkeys(("Totals", "totals", "training"), "kgraph.facts"),
    "extract": "kgraph.extraction.live",
    "extract_file": "kgraph.extraction.file",
    "plan": "kgraph.extraction.plan",
    "read": "kgraph.sources",
    **dict.fromkeys(("Report", "report", "report_json"), "kgraph.reports"),
    "report_text": "kgraph.drawing.report",
    "select": "kgraph.query",
    "Look": "kgraph.drawing.look",
    "to_dot": "kgraph.drawing.dot",
    "to_mermaid": "kgraph.drawing.mermaid",
    "to_pydot": "kgraph.drawing.objects",
    "to_text": "kgraph.drawing.text",
    "image": "kgraph.engine",
    "show": "kgraph.notebook",
}
__all__ = [*_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `kgraph` has no attribute `{name}`")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


if TYPE_CHECKING:
    from kgraph.drawing.dot import to_dot as to_dot
    from kgraph.drawing.look import Look as Look
    from kgraph.drawing.mermaid import to_mermaid as to_mermaid
    from kgraph.drawing.objects import to_pydot as to_pydot
    from kgraph.drawing.report import report_text as report_text
    from kgraph.drawing.text import to_text as to_text
    from kgraph.engine import image as image
    from kgraph.errors import ConfigError as ConfigError
    from kgraph.errors import ExtractError as ExtractError
    from kgraph.errors import FormatError as FormatError
    from kgraph.errors import GraphError as GraphError
    from kgraph.errors import ImageError as ImageError
    from kgraph.errors import KGraphError as KGraphError
    from kgraph.errors import NoGraphError as NoGraphError
    from kgraph.errors import NoMatchError as NoMatchError
    from kgraph.errors import QueryError as QueryError
    from kgraph.errors import ReadError as ReadError
    from kgraph.errors import SelectError as SelectError
    from kgraph.errors import UnsafeError as UnsafeError
    from kgraph.extraction.file import extract_file as extract_file
    from kgraph.extraction.live import extract as extract
    from kgraph.extraction.plan import plan as plan
    from kgraph.facts import Totals as Totals
    from kgraph.facts import totals as totals
    from kgraph.facts import training as training
    from kgraph.folding import fold as fold
    from kgraph.graph import Graph as Graph
    from kgraph.graph import Layer as Layer
    from kgraph.graph import Node as Node
    from kgraph.graph import Slots as Slots
    from kgraph.graph import Tensor as Tensor
    from kgraph.graph import Weight as Weight
    from kgraph.interchange import from_json as from_json
    from kgraph.interchange import to_json as to_json
    from kgraph.notebook import show as show
    from kgraph.order import renumber as renumber
    from kgraph.parts import around as around
    from kgraph.parts import between as between
    from kgraph.parts import part as part
    from kgraph.parts import subgraph as subgraph
    from kgraph.query import select as select
    from kgraph.reports import Report as Report
    from kgraph.reports import report as report
    from kgraph.reports import report_json as report_json
    from kgraph.sources import read as read
    from kgraph.transform import flatten as flatten
