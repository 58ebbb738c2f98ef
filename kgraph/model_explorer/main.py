"""The plug-in of Model Explorer, which imports this module by its name (ai-edge-model-explorer 0.1.34)."""

from __future__ import annotations

from typing import Any, ClassVar

from model_explorer import Adapter, AdapterMetadata
from model_explorer.graph_builder import Graph

from kgraph.drawing.model_explorer_graph import model_explorer_graphs
from kgraph.errors import KGraphError
from kgraph.sources import read


class KerasAdapter(Adapter):
    """Opens what `kgraph.read` reads; JSON is not claimed, as that would displace Model Explorer's own."""

    metadata: ClassVar[AdapterMetadata] = AdapterMetadata(
        id="kgraph",
        name="Keras models (kgraph)",
        description="Keras models of every version, read without TensorFlow",
        fileExts=["keras", "h5", "hdf5"],
    )

    def convert(self, model_path: str, settings: dict[str, Any]) -> dict[str, list[Graph]]:
        """The graphs of a model; raises the `KGraphError` of what cannot be read, its hint in its text, as
        Model Explorer shows that alone.
        """
        try:
            graphs = model_explorer_graphs(read(model_path))
        except KGraphError as error:
            raise KGraphError("; ".join(filter(None, (str(error), error.hint)))) from error
        return {"graphs": [Graph(**graph) for graph in graphs]}  # its nodes as the JSON that is made of them
