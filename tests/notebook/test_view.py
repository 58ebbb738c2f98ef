"""What notebooks and prompts show, in a real kernel."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from helpers.block_chains import BLOCK, chain
from helpers.places import DEMO

import kgraph
from kgraph.drawing.look import Look

LIVE = """
import keras
x = keras.Input((4,), name="x")
model = keras.Model(x, keras.layers.Dense(2, name="d")(x), name="made")
kgraph.show(model)
"""


@pytest.fixture(scope="module")
def notebook() -> Any:
    """A notebook that shows a file, then a live model, run."""
    import nbformat
    from nbclient import NotebookClient

    cells = [
        f"import kgraph\nkgraph.read({str(DEMO)!r})",
        f"kgraph.show({str(DEMO)!r}, kgraph.Look(expand=True))",
        LIVE,
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": "."}}
    )
    client.execute()
    return notebook


@pytest.fixture(scope="module")
def outputs(notebook: Any) -> list[Any]:
    """The output of each cell of it."""
    return [cell.outputs[-1]["data"] for cell in notebook.cells]


@pytest.mark.parametrize(("cell", "name"), [(0, "embedding"), (1, "conv"), (2, "d")])
def test_the_last_value_of_a_cell_draws_itself(cell: int, name: str, outputs: list[Any]) -> None:
    assert f">{name}</text>" in outputs[cell]["image/svg+xml"]
    assert name in outputs[cell]["text/plain"]


@pytest.mark.parametrize("cell", [0, 1, 2])
def test_a_png_stands_beside_the_svg_for_notebooks_that_are_not_trusted(
    cell: int, outputs: list[Any]
) -> None:
    assert b64decode(outputs[cell]["image/png"]).startswith(b"\x89PNG")


def test_a_published_notebook_holds_the_picture_and_the_page(notebook: Any) -> None:
    from nbconvert import HTMLExporter

    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert "embedding</text>" in html or "image/svg+xml;base64" in html
    assert "kgraph" in html


def test_text_in_a_cell_is_capped_and_ends_with_the_totals() -> None:
    text = kgraph.show(chain([BLOCK] * 300))._repr_mimebundle_()["text/plain"]
    assert text.count("\n") <= 61
    assert "lines more: `print(kgraph.to_text(graph))`" in text
    assert "parameters" in text.rstrip().splitlines()[-1]


def test_a_prompt_prints_the_terminal_view() -> None:
    view = kgraph.show(DEMO, Look(expand=True))
    assert repr(view) + "\n" == kgraph.to_text(kgraph.read(DEMO), Look(expand=True), width=100)


def test_a_huge_graph_shows_what_repeats_once() -> None:
    svg = kgraph.show(chain([BLOCK] * 300))._repr_mimebundle_()["image/svg+xml"]
    assert svg.count('class="node') == 5


def test_a_picture_that_takes_too_long_is_replaced_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgraph.notebook.display.PATIENCE", 0.001)
    shown = kgraph.show(DEMO)._repr_mimebundle_()
    assert list(shown) == ["text/plain"]
    assert "did not finish" in shown["text/plain"]
