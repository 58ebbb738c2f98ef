"""Other people's models: the odd cases, the same as written by each Keras 3, and published files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from conftest import SHARED

from kgraph.errors import ConfigError, NoGraphError, ReadError
from kgraph.facts import every_layer, graph_size
from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.transform import flatten

pytestmark = pytest.mark.usefixtures("shared")
# Cases that the installed Keras 3 cannot build or save at all, with its reason.
NOT_HERE = {
    "38_group_name_collision": "Keras cannot save it: two weight groups get one name",
    "57_legacy_ops_k2": "Keras 2 only: TensorFlow functions on symbolic tensors",
    "58_slash_name": "Keras 2 only: a slash in a name",
}
# Compact saves: the file keeps what made a nested model, not its layers.
COMPACT = {"41_subclassed_functional", "66_custom_twice_ambiguous"}
CASES = sorted(p.stem for p in SHARED.glob("cases/[0-9]*.py") if p.stem not in NOT_HERE)
# Files of these versions cannot be understood, and why.
CORRUPT = {
    ("k3.0.5", "19_shared_model_in_two"): "reads raw node indexes across models",
    **{
        ("k3.2.1", case): "Keras 3.2 wrote 0 for every call of a shared layer"
        for case in (
            "08_shared_layer",
            "10_node_gap_middle",
            "13_nested_called_twice",
            "19_shared_model_in_two",
            "56_dup_layer_calls_depth",
        )
    },
}
# Other calls than in the newest file, and why.
DIFFERENT = {
    (
        "k3.0.5",
        "54_model_from_intermediate",
    ): "until 3.1 a model from inner tensors kept the layers before them",
    **{
        (version, "61_seq_first_functional"): "until 3.5 a Sequential that begins with a model was not built"
        for version in ("k3.0.5", "k3.2.1", "k3.3.3", "k3.4.1")
    },
}
WRITTEN = sorted(p.relative_to(SHARED / "versions") for p in SHARED.glob("versions/k3*/*.keras"))
NEWEST = "k3.15.1"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"case_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CASES)
def test_an_odd_case_reads_equal_live_and_saved(name: str, cases: Path, tmp_path: Path) -> None:
    import keras

    model = load(cases / f"{name}.py").build(keras)
    model.save(tmp_path / "case.keras")
    live, file = read(model), read(tmp_path / "case.keras")
    live_size, file_size = graph_size(live), graph_size(file)
    assert live_size is not None
    assert file_size is not None
    assert live_size.parameters == file_size.parameters == model.count_params()
    if name in COMPACT:
        return
    assert live == file
    assert flatten(live) == flatten(file)
    assert [(p, layer.same_as) for p, layer in every_layer(live)] == [
        (p, layer.same_as) for p, layer in every_layer(file)
    ]


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_a_case_is_read_alike_from_every_keras_3(path: Path) -> None:
    key = (path.parent.name, path.stem)
    if key in CORRUPT:
        with pytest.raises(ConfigError):
            read(SHARED / "versions" / path)
        return
    graph = read(SHARED / "versions" / path)
    newest = SHARED / "versions" / NEWEST / path.name
    if newest.exists():
        assert (calls(graph) == calls(read(newest))) == (key not in DIFFERENT)


def calls(graph: Graph) -> int:
    """How many calls of layers there are; operations differ: 3.5-3.9 insert casts, masks come and go."""
    return sum(not _is_operation(graph, node.layer) for node in flatten(graph).nodes)


def _is_operation(graph: Graph, name: str) -> bool:
    return ".ops." in str(flatten(graph).layer(name).module)


PUBLISHED = sorted(str(p.relative_to(SHARED / "corpus")) for p in SHARED.glob("corpus/**/*.keras"))
NO_GRAPH = {
    "vae.keras",
    "pre_pr22362_nested_container.keras",
    "kerashub_bert_COMPACT.keras",
    "kimm_lcnet035_COMPACT.keras",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_keras_file_is_read_or_refused_by_what_it_is(name: str) -> None:
    path = SHARED / "corpus" / name
    if path.name in NO_GRAPH:
        with pytest.raises(NoGraphError, match="is not a functional model"):
            read(path)
        return
    graph = read(path)
    row = manifest()[name]
    assert len(graph.layers) == int(row["layers"])
    assert len(graph.shared) == int(row["shared_layers"])
    size = graph_size(graph)
    assert size is not None
    assert size.parameters > 0


def manifest() -> dict[str, dict[str, str]]:
    head, *rows = (line.split("\t") for line in (SHARED / "corpus" / "MANIFEST.tsv").read_text().splitlines())
    return {row[0]: dict(zip(head, row, strict=False)) for row in rows}


@pytest.mark.parametrize("path", ["versions/dirmodel", "versions/bf16.keras"])
def test_folders_and_bfloat16_are_read(path: str) -> None:
    size = graph_size(read(SHARED / path))
    assert size is not None
    assert size.parameters > 0
    assert size.bytes > 0


@pytest.mark.parametrize(
    "path",
    [
        "versions/npz.keras",
        "versions/sh_00000.weights.h5",
        "versions/sh.weights.json",
    ],
)
def test_what_is_not_read_is_refused(path: str) -> None:
    if path.endswith("npz.keras"):
        assert graph_size(read(SHARED / path)) is None
        return
    with pytest.raises(ReadError):
        read(SHARED / path)
