"""Every public verb on a graph takes what `read` takes, and does the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.places import DEMO

import kgraph

VERBS: dict[str, Callable[[Any], Any]] = {
    "ancestors": lambda g: kgraph.ancestors(g, ()),
    "costs": kgraph.costs,
    "count_totals": kgraph.count_totals,
    "flatten": kgraph.flatten,
    "fold": kgraph.fold,
    "infer_shapes": lambda g: kgraph.infer_shapes(g, {}),
    "stages": kgraph.stages,
    "neighbourhood": lambda g: kgraph.neighbourhood(g, (), 1),
    "paths_between": lambda g: kgraph.paths_between(g, (), ()),
    "plan": lambda g: kgraph.plan(g, "both"),
    "receptive_fields": kgraph.receptive_fields,
    "renumber": kgraph.renumber,
    "select": lambda g: kgraph.select(g, "encoder/*"),
    "sharing": kgraph.sharing,
    "show": lambda g: repr(kgraph.show(g)),
    "subgraph": lambda g: kgraph.subgraph(g, ()),
    "to_dot": kgraph.to_dot,
    "to_html": kgraph.to_html,
    "to_json": kgraph.to_json,
    "to_mermaid": kgraph.to_mermaid,
    "to_model_explorer": kgraph.to_model_explorer,
    "to_networkx": lambda g: [*kgraph.to_networkx(g).edges(keys=True, data=True)],
    "to_rows": kgraph.to_rows,
    "to_pydot": lambda g: kgraph.to_pydot(g).to_string(),
    "to_text": kgraph.to_text,
    "training_by_output": kgraph.training_by_output,
}


def test_no_public_verb_on_a_graph_is_left_out() -> None:
    """Those that bear `reads_source` are those of the table, and `show`, which reads by itself."""
    bearing = {name for name in kgraph.__all__ if hasattr(getattr(kgraph, name), "__wrapped__")}
    assert bearing | {"show"} == set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_takes_a_path_as_it_takes_the_graph_read_from_it(name: str) -> None:
    verb, graph = VERBS[name], kgraph.read(DEMO)
    assert verb(DEMO) == verb(str(DEMO)) == verb(graph)


def test_a_verb_takes_a_live_model(built: Callable[[str], Any]) -> None:
    model = built("nested_model")
    assert kgraph.to_text(model) == kgraph.to_text(kgraph.read(model))
    assert kgraph.flatten(model) == kgraph.flatten(kgraph.read(model))


def test_what_is_no_source_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(kgraph.ReadError, match="neither a path nor a Keras 3 model"):
        kgraph.to_text(3)  # type: ignore[arg-type]
    with pytest.raises(kgraph.ReadError, match="there is no file"):
        kgraph.to_dot(tmp_path / "absent.keras")


def test_diff_takes_two_of_what_verbs_take(built: Callable[[str], Any]) -> None:
    graph = kgraph.read(DEMO)
    assert kgraph.diff(DEMO, built("line")) == kgraph.diff(graph, kgraph.read(built("line")))
    assert not kgraph.diff(str(DEMO), graph)
