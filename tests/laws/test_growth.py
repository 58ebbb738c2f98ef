"""Long chains: no recursion, and time that grows in proportion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet
from helpers import long_live_models as live
from helpers import long_models
from helpers.growth import TIMES, growth, is_in_proportion, seconds
from helpers.long_models import h5_file, json_file, keras_file

from kgraph.drawing.look import Look
from kgraph.drawing.model_explorer_graph import to_model_explorer
from kgraph.drawing.networkx_graph import to_networkx
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.mermaid import to_mermaid
from kgraph.drawing.terminal.costs_text import to_costs_text
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.drawing.terminal.sharing_text import to_sharing_text
from kgraph.errors import KGraphError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import kept_layers, plan, planned_addresses, rest
from kgraph.graph import Graph
from kgraph.graph_json import from_json, to_json
from kgraph.query import select
from kgraph.reports.costs import costs
from kgraph.reports.receptive_field import receptive_fields
from kgraph.reports.sharing import to_sharing_json
from kgraph.reports.totals import count_totals
from kgraph.sources import read
from kgraph.transforms.flatten import every_node, flatten
from kgraph.transforms.fold import fold
from kgraph.transforms.keras_order import renumber
from kgraph.transforms.masks import mask_flow
from kgraph.transforms.shape_inference import infer_shapes
from kgraph.transforms.subgraph import ancestors, neighbourhood, paths_between, subgraph

Entry = dict[str, Any]

# Models, and how large the smaller of two is.
SHAPES: dict[Callable[[int], Entry], int] = {
    long_models.chain: 600,
    long_models.many_calls: 600,
    long_models.many_inputs: 600,
    long_models.many_joined: 300,
    long_models.many_readers: 600,
    long_models.many_models: 120,
    long_models.many_nested_calls: 150,
    long_models.one_inside: 300,
    long_models.twice_read: 100,
    long_models.two_with_the_same: 200,
    long_models.each_step: 200,
    long_models.masked: 400,
    long_models.sequential: 400,
}
CANNOT_BE_CUT = {long_models.masked}  # their weights are not in the file
# What is tried each time: long, wide and deep; the others in the long run.
EACH_TIME = {long_models.chain, long_models.many_joined, long_models.many_nested_calls}


def shapes(makers: Iterable[Callable[[int], Entry]]) -> list[ParameterSet]:
    """The models, those marked that are left to the long run."""
    return [pytest.param(make, marks=() if make in EACH_TIME else pytest.mark.long) for make in makers]


def ids(value: object) -> str | None:
    return getattr(value, "__name__", None)


def last(graph: Graph) -> str:
    """The address of what the last call of the flat graph makes."""
    return str(flatten(graph).nodes[-1].outputs[0])


def addresses(graph: Graph) -> list[str]:
    """The addresses of all tensors, at every depth."""
    return list(dict.fromkeys(str(tensor) for node, _ in every_node(graph) for tensor in node.outputs))


def names(graph: Graph) -> list[str]:
    return list(dict.fromkeys(node.layer for node in flatten(graph).nodes))


def read_by_last(graph: Graph) -> list[str]:
    return list(dict.fromkeys(map(str, graph.nodes[-1].inputs.values())))


def is_refused(do: Callable[[], object]) -> None:
    with pytest.raises(KGraphError):
        do()


VERBS: dict[str, Callable[[Graph], object]] = {
    "flatten": flatten,
    "fold": fold,
    "renumber": renumber,
    "infer_shapes": lambda g: infer_shapes(
        g, {t.layer: (2, *(t.shape or ())[1:]) for t in g.inputs.values()}
    ),
    "mask_flow": mask_flow,
    "ancestors": lambda g: ancestors(flatten(g), [flatten(g).nodes[-1].outputs[0]]),
    "subgraph": lambda g: subgraph(flatten(g), [node.outputs[0] for node in flatten(g).nodes[::2]]),
    "neighbourhood": lambda g: neighbourhood(flatten(g), [flatten(g).nodes[0].outputs[0]], 10**6),
    "paths_between": lambda g: paths_between(
        flatten(g), g.inputs.values(), [flatten(g).nodes[-1].outputs[0]]
    ),
    "json": lambda g: from_json(to_json(g)),
    "count_totals": count_totals,
    "sharing": to_sharing_json,
    "sharing as text": to_sharing_text,
    "costs": costs,
    "costs by block": lambda g: to_costs_text(g, by="block"),
    "receptive fields": receptive_fields,
    "text": to_text,
    "text of the flat graph": lambda g: to_text(flatten(g)),
    "dot": to_dot,
    "dot coloured by costs": lambda g: to_dot(g, Look(color="macs")),
    "mermaid": to_mermaid,
    "model explorer": to_model_explorer,
    "networkx": to_networkx,
    "select all addresses": lambda g: select(g, *addresses(g)),
    "select all labelled": lambda g: select(g, *(f"l{i}={one}" for i, one in enumerate(addresses(g)))),
    "select all names": lambda g: select(g, *names(g)),
    "select by a pattern for each": lambda g: select(
        g, *(f"{name}*" for name in names(g)[:2000] if "/" in name)
    ),
    "select by an index for each": lambda g: select(g, *(f"**[{i}]" for i in range(len(flatten(g).nodes)))),
    "select what is not there": lambda g: is_refused(lambda: select(g, "nothing like it")),
    "plan the last": lambda g: plan(g, last(g)),
    "plan all": lambda g: plan(g, addresses(g)),
    "plan a plan": lambda g: plan(plan(g, last(g)), last(g)),
    "planned": lambda g: planned_addresses(g, plan(g, last(g))),
    "kept": lambda g: kept_layers(g, plan(g, last(g))),
}
# What begins before the last call; masks would be lost there.
BEGUN: dict[str, Callable[[Graph], object]] = {
    "plan begun late": lambda g: plan(g, str(g.nodes[-1].outputs[0]), read_by_last(g)),
    "rest": lambda g: rest(g, read_by_last(g)),
}


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("make", shapes(SHAPES), ids=ids)
def test_each_verb_takes_time_in_proportion(make: Callable[[int], Entry], tmp_path: Path) -> None:
    files = [json_file(tmp_path, make(size)) for size in sizes(make)]
    slow = {"read": growth(read, files)}
    graphs = [read(path) for path in files]
    for name, verb in (VERBS | ({} if make is long_models.masked else BEGUN)).items():
        slow[name] = growth(verb, graphs)
    assert not {name: times for name, times in slow.items() if not is_in_proportion(*times)}


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("make", shapes(make for make in SHAPES if make not in CANNOT_BE_CUT), ids=ids)
@pytest.mark.parametrize("write", [keras_file, h5_file], ids=ids)
def test_a_file_is_cut_in_time_in_proportion(
    make: Callable[[int], Entry], write: Callable[[Path, Entry], Path], tmp_path: Path
) -> None:
    files = [write(tmp_path, make(size)) for size in sizes(make)]

    def cut(path: Path, queries: Callable[[Graph], str | list[str]]) -> None:
        extract_file(path, tmp_path / f"cut{path.suffix}", queries(read(path)), force=True)

    slow = {what.__name__: growth(lambda path: cut(path, what), files) for what in (last, addresses)}  # noqa: B023
    assert not {name: times for name, times in slow.items() if not is_in_proportion(*times)}


# Live models, and how large the smaller of two is: Keras stops at chains of some 1,000.
LIVE: dict[Callable[[int], Any], int] = {
    live.chain: 100,
    live.calls_in_a_row: 100,
    live.calls_of_one_tensor: 500,
    live.readers: 300,
    live.models: 50,
}


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("make", LIVE, ids=ids)
def test_a_live_model_is_cut_in_time_in_proportion(make: Callable[[int], Any]) -> None:
    both = [make(size) for size in (LIVE[make], TIMES * LIVE[make])]
    cuts: dict[str, Callable[[Any], object]] = {
        "the last": lambda model: extract(model, last(read(model))),
        "all": lambda model: extract(model, addresses(read(model))),
        "begun early": lambda model: extract(
            model, str(read(model).nodes[-1].outputs[0]), inputs=str(read(model).nodes[1].outputs[0])
        ),
    }
    if make is live.readers or make is live.models:
        del cuts["begun early"]  # the one nested model is the last, or the first
    slow = {name: growth(cut, both) for name, cut in cuts.items()}
    assert not {name: times for name, times in slow.items() if not is_in_proportion(*times)}


@pytest.mark.slow
@pytest.mark.timed
def test_thousands_of_live_inputs_take_no_longer_than_keras_itself_takes() -> None:
    import keras

    model = live.inputs(2_000)
    own = seconds(lambda: keras.Model(model.inputs, model.outputs))  # by the square
    assert seconds(lambda: extract(model, "join")) < 2 * own + 1


def sizes(make: Callable[[int], Entry]) -> list[int]:
    return [SHAPES[make], TIMES * SHAPES[make]]


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("longest", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_long_chain_reads_sorts_flattens_and_prints_in_proportion(
    longest: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures: dict[int, list[float]] = {}
    for size in (longest // 100, longest // 10, longest):
        path = json_file(tmp_path, long_models.chain(size))
        times = [process_time()]
        graph = read(path)
        times.append(process_time())
        flat = flatten(graph)
        times.append(process_time())
        text = to_text(flat, width=100)
        times.append(process_time())
        again = from_json(to_json(flat))
        times.append(process_time())
        assert len(flat.nodes) == size + 1
        assert text.count("\n") >= size + 1
        assert again == flat
        figures[size] = [b - a for a, b in pairwise(times)]
    with capsys.disabled():
        print("\nlayers   read   flatten  print  json   (seconds)")
        for size, seconds in figures.items():
            print(f"{size:7,}" + "".join(f"{s:8.3f}" for s in seconds))
    for small, large in zip(figures[longest // 10], figures[longest], strict=True):
        assert large < 40 * small + 0.5, "grows faster than n log n"
