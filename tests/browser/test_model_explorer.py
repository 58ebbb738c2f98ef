"""Model Explorer itself opens what kgraph gives it: with the plug-in, and as files without one."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from helpers.model_explorer_graphs import nested_as
from helpers.picture_graphs import NASTY, chain
from helpers.places import DEMO

import kgraph
from kgraph.drawing.model_explorer_graph import model_explorer_graphs
from kgraph.graph import Graph

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("browser")]
PLUGIN = "--extensions=kgraph.model_explorer"
PROGRAM = "from model_explorer.cmdline import main; main()"
WAIT = 60_000  # milliseconds


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    reason = "there is no Model Explorer here: .ci/long says how to install it"
    pytest.importorskip("model_explorer.graph_builder", reason=reason)


@contextmanager
def explorer(*args: str) -> Iterator[str]:
    """The address at which Model Explorer shows what its command is given."""
    with socket.create_server(("localhost", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-u", "-c", PROGRAM, "--no_open_in_browser", "--port", port, *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as program:
        assert program.stdout
        try:
            yield next(line.strip() for line in program.stdout if line.startswith("http"))
        finally:
            program.terminate()


@contextmanager
def shown(browser: Any, *args: str) -> Iterator[Any]:
    """The page of that, once it tells of a graph, and nothing went wrong in it."""
    errors: list[str] = []
    with explorer(*args) as address, browser.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.wait_for_selector("text=op node count", timeout=WAIT)
        yield page
        assert not errors


def counts(page: Any) -> tuple[int, int]:
    """How many nodes, and how many namespaces, the page tells of."""
    text = page.inner_text("body")
    found = [re.search(rf"{what}\s+(\d+)", text) for what in ("op node count", "layer count")]
    assert all(found)
    return tuple(int(one[1]) for one in found if one)  # type: ignore[return-value]


def converted(address: str, path: Path) -> Any:
    """What the plug-in, asked as the page asks it, answers."""
    command = {"cmdId": "convert", "extensionId": "kgraph", "modelPath": str(path), "settings": {}}
    body = json.dumps(command | {"deleteAfterConversion": False}).encode()
    end = address.partition("/?")[0] + "/apipost/v1/send_command"
    with urlopen(Request(end, body, {"Content-Type": "application/json"})) as answer:
        return json.load(answer)


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_none(inner) for key, inner in value.items() if inner is not None}
    return [without_none(inner) for inner in value] if isinstance(value, list) else value


def test_the_plugin_answers_the_graph_or_the_sentence_of_kgraph(tmp_path: Path) -> None:
    (tmp_path / "text.keras").write_text("hello")
    with explorer(PLUGIN) as address:
        answer = without_none(converted(address, DEMO))
        assert answer == {"graphs": model_explorer_graphs(kgraph.read(DEMO))}
        refusal = converted(address, tmp_path / "text.keras")["error"]
    with pytest.raises(kgraph.ReadError) as error:
        kgraph.read(tmp_path / "text.keras")
    assert refusal.startswith(f"KGraphError: {error.value}")


def test_the_page_shows_a_file_of_keras_with_the_plugin(browser: Any) -> None:
    with shown(browser, str(DEMO), PLUGIN) as page:
        assert counts(page) == (13, 2)
        assert "10,605" in page.inner_text("body")


def test_the_page_shows_the_json_and_the_costs_without_it(browser: Any, tmp_path: Path) -> None:
    model, costs = tmp_path / "m.me.json", tmp_path / "c.me.json"
    kgraph.save(DEMO, model)
    costs.write_text(kgraph.to_model_explorer_costs(kgraph.costs(DEMO)))
    with shown(browser, str(model), f"--node_data_paths={costs}") as page:
        assert counts(page) == (13, 2)
        page.wait_for_selector("text=Aggregated stats", timeout=WAIT)
        assert re.search(r"Sum\s+1776", page.inner_text("body"))


@pytest.mark.parametrize(
    ("graph", "namespaces"),
    [(chain(NASTY), 0), (nested_as(NASTY), len(NASTY))],
    ids=["layers", "nested models"],
)
def test_the_page_shows_models_with_odd_names(
    graph: Graph, namespaces: int, browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "odd.me.json"
    path.write_text(kgraph.to_model_explorer(graph))
    with shown(browser, str(path)) as page:
        assert counts(page) == (len(kgraph.flatten(graph).nodes), namespaces)
