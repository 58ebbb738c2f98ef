"""What is found in a config, and where: a finding's JSON path leads to the thing that it names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from helpers.hostile_files import ODD_LAYERS, PICKLE, a_lambda, follow, function, layer, model_of
from helpers.made_files import demo_config
from hypothesis import given
from hypothesis import strategies as st

from kgraph.reports.audit import Audit, Finding, find_in_config, spell_path
from kgraph.reports.audit_kinds import KINDS
from kgraph.reports.audit_text import NOTHING, to_audit_json, to_audit_table, to_audit_text

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEYS = st.sampled_from(["config", "a", "odd key", "0", "", 'a"b', "a.b", "[1]", "é", "$"]) | st.text(
    max_size=4
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=20,
)
THINGS = [
    (a_lambda(), "bytecode"),
    (function("evil", "f"), "foreign code"),
    (layer("TFSMLayer", filepath="x"), "savedmodel"),
    (layer("Evil", module="evil"), "foreign code"),
    (function("keras.datasets.mnist", "load_data"), "tool"),
    ({"class_name": "own>Blk", "config": {}}, "custom object"),
]


@given(TREES, st.lists(st.tuples(KEYS | st.integers(0, 2), st.sampled_from(THINGS)), min_size=1, max_size=4))
def test_a_path_leads_to_the_thing_that_a_finding_names(tree: Any, planted: list[tuple[Any, Any]]) -> None:
    """Whatever stands around it, in whatever keys."""
    whole: Any = tree
    expected = []
    for number, (step, (thing, kind)) in enumerate(planted):
        if isinstance(step, int):
            whole = [*["filler"] * step, thing, whole]
        else:
            whole = {step: thing, f"rest{number}": whole}
        expected.append((kind, id(thing)))
    found = [(one.kind, id(follow(whole, one.where))) for one in find_in_config(whole, "")]
    assert sorted(found) == sorted(expected)


@given(st.lists(KEYS | st.integers(0, 9), max_size=5))
def test_a_path_is_followed_back(steps: list[Any]) -> None:
    value: Any = "here"
    for step in reversed(steps):
        value = {step: value} if isinstance(step, str) else [None] * step + [value]
    assert follow(value, spell_path(tuple(steps))) == "here"


@pytest.mark.parametrize("name", ODD_LAYERS)
def test_each_odd_layer_is_found_in_its_place(name: str) -> None:
    odd, kind, inside = ODD_LAYERS[name]
    (found,) = find_in_config(model_of(odd), "config.json")
    assert (found.kind, found.where) == (kind, f"config.layers[1]{inside}")


@pytest.mark.parametrize("key", ["loss", "metrics", "optimizer"])
def test_what_a_model_is_compiled_with_is_looked_at(key: str) -> None:
    config = model_of(None, compile_config={key: [a_lambda()]})
    assert [one.where for one in find_in_config(config, "")] == [f"compile_config.{key}[0]"]


def test_constants_of_calls_are_looked_at() -> None:
    config = model_of(None)
    config["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"mask": function("evil", "f")}
    assert [one.where for one in find_in_config(config, "")] == [
        "config.layers[1].inbound_nodes[0].kwargs.mask"
    ]


def test_a_pickle_in_a_text_is_found_in_whatever_class() -> None:
    (found,) = find_in_config(model_of(layer("Dense", units=4, data=[PICKLE])), "")
    assert (found.kind, found.where) == ("pickle", "config.layers[1].config.data[0]")


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({"function": "math.multiply"}, 0),
        ({"function": "io.read_file"}, 1),
        ({"function": "raw_ops.WriteFile"}, 1),
        ({"node_def": 'name: "r"\nop: "ReadFile"\ninput: "x"'}, 1),
        ({"node_def": '{"name": "r", "op": "ReadFile"}'}, 1),
        ({"node_def": '{"name": "ReadFile", "op": "AddV2"}'}, 0),
    ],
)
def test_operations_of_tensorflow_on_files_are_found(config: dict[str, str], count: int) -> None:
    name = "TensorFlowOpLayer" if "node_def" in config else "TFOpLambda"
    assert [one.kind for one in find_in_config({"class_name": name, "config": config}, "")] == [
        "file operation"
    ] * count


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("keras.utils", "get_file", "disallowed function"),
        ("keras.src.utils.file_utils", "get_file", "disallowed function"),
        ("tf_keras.src.utils.data_utils", "get_file", "disallowed function"),
        ("keras.src.saving.saving_api", "load_model", "disallowed function"),
        ("keras.src.utils.model_visualization", "plot_model", "tool"),
    ],
)
def test_functions_of_keras_are_found_under_their_inner_modules(module: str, name: str, kind: str) -> None:
    odd = layer("Lambda", function=function(module, name))
    assert [one.kind for one in find_in_config(model_of(odd), "")] == [kind]


def test_a_package_is_told_that_would_be_imported() -> None:
    (found,) = find_in_config(layer("Evil", module="evil_module.sub"), "")
    assert (found.what, found.module) == ("evil_module.sub.Evil", "evil_module.sub")
    assert "of the package `evil_module`" in to_audit_text(Audit("m", "json", None, (found,)), 80)


def test_nothing_is_found_in_the_demo() -> None:
    assert find_in_config(demo_config(), "") == []


def test_odd_json_is_no_trouble() -> None:
    odds: list[Any] = [
        [],
        {},
        {"class_name": 5},
        {"class_name": ["a"], "module": {}},
        {"class_name": "Lambda"},
    ]
    for odd in odds:
        for value in (odd, {"config": odd}, {"class_name": "function", "config": odd, "module": "a"}):
            assert all(one.kind in KINDS for one in find_in_config(value, ""))


FOUND = tuple(
    Finding(kind, "config.json", "config.layers[1]", "a\x1b[31m\nb" * 9, KINDS[kind].stopped)
    for kind in KINDS
)


@given(st.integers(40, 200))
def test_a_text_fits_its_width_and_steers_no_terminal(width: int) -> None:
    audit = Audit("a\nb" * 40, "json", "3\x1b", FOUND, ("c\x07" * 99,))
    for text in (to_audit_text(audit, width), to_audit_table([audit, audit], width)):
        lines = text.split("\n")
        assert all(len(line) <= width and line.isprintable() for line in lines)
        assert "\x1b" not in text


def test_a_text_never_says_that_a_file_is_safe() -> None:
    assert NOTHING in to_audit_text(Audit("m.keras", "json", None, ()), 80)
    assert str(Audit("m.keras", "json", None, ())) == "m.keras  json\n" + NOTHING


def test_the_json_has_a_version_and_all_fields() -> None:
    data = json.loads(to_audit_json([Audit("m", "json", "3.15.1", FOUND[:1], ("not whole",))]))
    assert data["version"] == 1
    (file,) = data["files"]
    assert file.keys() == {"path", "format", "keras_version", "findings", "unread"}
    assert file["findings"][0] == {
        "kind": "bytecode", "part": "config.json", "where": "config.layers[1]", "what": FOUND[0].what,
        "stopped": True, "module": "", "title": KINDS["bytecode"].title, "effect": KINDS["bytecode"].effect,
    }  # fmt: skip
