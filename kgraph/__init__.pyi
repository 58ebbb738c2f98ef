"""Made of `_PUBLIC` in `__init__.py` by `KGRAPH_GOLDEN=1 pytest tests/project/test_public_names.py`."""

from kgraph.drawing.look import Look as Look
from kgraph.drawing.pictures.dot import to_dot as to_dot
from kgraph.drawing.pictures.mermaid import to_mermaid as to_mermaid
from kgraph.drawing.pictures.pydot_graph import to_pydot as to_pydot
from kgraph.drawing.terminal.graph_text import to_text as to_text
from kgraph.drawing.terminal.sharing_text import to_sharing_text as to_sharing_text
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
from kgraph.extraction.plan import Queries as Queries
from kgraph.extraction.plan import plan as plan
from kgraph.graph import Graph as Graph
from kgraph.graph import Layer as Layer
from kgraph.graph import Node as Node
from kgraph.graph import Shape as Shape
from kgraph.graph import Tensor as Tensor
from kgraph.graph import Weight as Weight
from kgraph.graph_json import from_json as from_json
from kgraph.graph_json import to_json as to_json
from kgraph.graphviz_engine import render as render
from kgraph.notebook.view import View as View
from kgraph.notebook.view import show as show
from kgraph.query import select as select
from kgraph.reports.calls import Call as Call
from kgraph.reports.objects import Occurrence as Occurrence
from kgraph.reports.sharing import Holder as Holder
from kgraph.reports.sharing import Identical as Identical
from kgraph.reports.sharing import Shared as Shared
from kgraph.reports.sharing import Sharing as Sharing
from kgraph.reports.sharing import Tied as Tied
from kgraph.reports.sharing import TopLayer as TopLayer
from kgraph.reports.sharing import sharing as sharing
from kgraph.reports.sharing import to_sharing_json as to_sharing_json
from kgraph.reports.totals import Totals as Totals
from kgraph.reports.totals import count_totals as count_totals
from kgraph.sizes import Size as Size
from kgraph.sources import read as read
from kgraph.structures import Arguments as Arguments
from kgraph.structures import Slots as Slots
from kgraph.training import Training as Training
from kgraph.training import training_by_output as training_by_output
from kgraph.transforms.flatten import flatten as flatten
from kgraph.transforms.fold import fold as fold
from kgraph.transforms.keras_order import renumber as renumber
from kgraph.transforms.shape_inference import infer_shapes as infer_shapes
from kgraph.transforms.stages import stages as stages
from kgraph.transforms.subgraph import ancestors as ancestors
from kgraph.transforms.subgraph import neighbourhood as neighbourhood
from kgraph.transforms.subgraph import paths_between as paths_between
from kgraph.transforms.subgraph import subgraph as subgraph

__version__: str
__all__: list[str]
_PUBLIC: dict[str, str]
