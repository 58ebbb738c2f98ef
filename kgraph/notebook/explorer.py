"""`kgraph.explore`: the page of a model inside a notebook."""

from __future__ import annotations

import html
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.page_engine import PageEngine
from kgraph.sources import read
from kgraph.view_options import choose_view

HEIGHT = 640  # pixels
SANDBOX = "allow-scripts"  # and nothing else: no access to the notebook, no navigation of its page


class Explorer:
    """A model's page, shown where it is a cell's last value; `selection` is what was picked in it."""

    def __init__(self, graph: Graph, height: int) -> None:
        self.graph, self.height = graph, height
        with PageEngine() as engine:
            self.page = engine.render(graph)
        self._widget = _make_widget(self.page, height) if find_spec("anywidget") else None

    @property
    def selection(self) -> list[str]:
        """The queries of the picked tensors, in graph order, for `kgraph.extract`.

        Raises `KGraphError` where anywidget, which brings them back to Python, is not installed.
        """
        if self._widget is None:
            raise KGraphError(
                "what is picked in the page comes back to Python by `anywidget`, which is not installed",
                hint="`pip install 'keras-kgraph[notebook]'`, and run the cell again; "
                "until then, copy the line that the page shows",
            )
        return list(self._widget.selection)

    def __repr__(self) -> str:
        return f"<the page of `{self.graph.name}`, shown by notebooks>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self._widget is not None:
            return self._widget._repr_mimebundle_(**options)
        frame = (
            f'<iframe srcdoc="{html.escape(self.page, quote=True)}" sandbox="{SANDBOX}" width="100%" '
            f'height="{self.height}" style="border: 1px solid #c5cdd6; border-radius: 8px"></iframe>'
        )
        return {"text/html": frame, "text/plain": repr(self)}


def explore(source: object, *, height: int = HEIGHT, **options: Any) -> Explorer:
    """The page to explore a model in, live or saved, inside a notebook, `height` pixels high.

    It is what `kgraph show -o page.html` writes, in a sandboxed frame, and asks nothing of any network. With
    `anywidget` (the extra `notebook`), `.selection` are the tensors that were picked in it, as queries:
    `kgraph.extract(model, view.selection)`. `source` is what `kgraph.read` takes; `only`, `around` and
    `between` show a part, as for `kgraph.show`. Raises what these raise, and `ImageError` where Graphviz
    fails.
    """
    return Explorer(choose_view(read(source), **options)[0], height)


def _make_widget(page: str, height: int) -> Any:
    import anywidget
    import traitlets

    class PageWidget(anywidget.AnyWidget):
        _esm = Path(__file__).with_name("widget.js")
        page = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        selection = traitlets.List(traitlets.Unicode()).tag(sync=True)

    return PageWidget(page=page, height=height)
