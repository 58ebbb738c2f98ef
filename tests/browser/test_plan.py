"""What the page says of a submodel is what the plan says; hostile names stay text."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import Tab

import kgraph
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import every_layer, is_operation
from kgraph.notebook.view import save
from kgraph.structures import Arguments, Slots
from kgraph.transforms.flatten import every_node

OpenTab = Callable[..., Tab]
MODELS = (
    "nested_model", "nested_model_called_twice", "nested_models_three_deep", "shared_layer",
    "nested_model_with_many_inputs_and_outputs", "time_distributed_model", "variable_of_two_layers",
    "layer_shared_by_two_nested_models", "bare_operations",
)  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_submodel_that_the_page_tells_of_is_the_plan(
    name: str, tab: OpenTab, built: Callable[[str], Any], tmp_path: Path
) -> None:
    graph = kgraph.read(built(name))
    save(graph, tmp_path / "page.html")
    opened = tab(tmp_path / "page.html")
    tensors = [tensor for node, _ in every_node(graph) for tensor in node.outputs]
    chance = random.Random(name)
    for _ in range(12):
        picked = chance.sample(tensors, min(len(tensors), chance.choice((1, 1, 2, 3))))
        for tensor in picked:
            opened.page.evaluate("query => kgraph.pick(query)", str(tensor))
        told = opened.page.inner_text("#plan")
        plan = kgraph.plan(graph, picked)
        layers = [
            layer
            for path, layer in every_layer(plan)
            if not (layer.graph or is_operation(layer) or ("/" in path and layer.class_name == "InputLayer"))
        ]
        size = kgraph.count_totals(plan).size
        assert size is not None
        assert f"keeps {len(layers):,} layers, {size.parameters:,} parameters" in told, (picked, told)
        for tensor in picked:
            opened.page.evaluate("query => kgraph.pick(query)", str(tensor))


HOSTILE = (
    "</script><script>document.title='broken'</script>", "\"><img src=x onerror=document.title='broken'>",
    "<!--<script>", "data:text/html,<b>", "\u2028\u2029\u202e", "a'b\"c`${1}", "\x1b[31m\x00", "]]>",
    "--><svg onload=1>", "javascript:alert(1)", "{data}", "{script}",
)  # fmt: skip


def test_hostile_names_and_configs_stay_text(tab: OpenTab, tmp_path: Path) -> None:
    layers = [Layer("x", "InputLayer", weights=())]
    nodes = [Node("x")]
    for name in HOSTILE:
        config = {"name": name, "doc": name, name: [name]}
        layers.append(Layer(name, name, config=config, module=name, weights=()))
        nodes.append(Node(name, 0, Slots({"0": nodes[-1].outputs[0]}), arguments=Arguments({"mode": name})))
    inside = Graph(
        HOSTILE[0], tuple(layers), tuple(nodes), Slots({"": Tensor("x")}), Slots({"": nodes[-1].outputs[0]})
    )
    outer = (Layer("y", "InputLayer", weights=()), Layer(HOSTILE[1], "Functional", inside, weights=()))
    call = Node(HOSTILE[1], 0, Slots({"0": Tensor("y")}))
    graph = Graph(
        HOSTILE[0], outer, (Node("y"), call), Slots({"": Tensor("y")}), Slots({HOSTILE[2]: call.outputs[0]}),
        source="</title><script>1</script>.keras",
    )  # fmt: skip
    save(graph, tmp_path / "page.html")
    opened = tab(tmp_path / "page.html")
    assert opened.page.title() != "broken"
    assert opened.page.inner_text("h1").startswith("</script>")
    for name in HOSTILE:
        tensor = f"{HOSTILE[1]}/{name}"
        assert opened.page.evaluate("query => kgraph.select(query)", tensor) == [f"{tensor}#0"]
        opened.page.evaluate("query => kgraph.pick(query)", tensor)
        opened.page.fill("#search", tensor)
        opened.press("Enter")
        opened.page.wait_for_timeout(30)
    assert opened.page.locator("script").count() == opened.page.locator("body > script").count()
    assert opened.page.locator("img").count() == 0
    assert opened.page.title() != "broken"
