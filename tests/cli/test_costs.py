"""`kgraph costs` as people type it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.places import DEMO
from models import BUILDERS

from kgraph.cli import cli
from kgraph.drawing.describe import format_bytes, format_macs
from kgraph.drawing.terminal.costs_text import to_costs_text
from kgraph.drawing.terminal.fields_text import to_receptive_fields_text
from kgraph.drawing.terminal.spans import plain_text, text_columns
from kgraph.drawing.terminal.text_table import Row, table_lines
from kgraph.reports.costs import costs
from kgraph.reports.receptive_field import receptive_fields

Saved = Callable[[str], Path]
BOUND = ("--input-shape", "title=16", "body=64")


def run(*args: str, width: int = 100, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["costs", *args], env={"COLUMNS": str(width)})
    assert done.exit_code == code, done.output
    return done.output


def test_the_demo_reads_as_a_person_wants_it() -> None:
    text = run(str(DEMO), *BOUND, width=84).splitlines()
    assert text[1:13] == [
        "124,656 MACs · 10,605 parameters · for title 16, body 64",
        "",
        "                 class               output      MACs   share  parameters   memory",
        "title            InputLayer          16             0    0.0%           0     64 B",
        "body             InputLayer          64             0    0.0%           0    256 B",
        "embedding        Embedding           64 × 16        0    0.0%       8,000   5.1 kB",
        "encoder/conv     Conv1D              64 × 32  122.9 k   98.6%       1,568  10.2 kB",
        "encoder/pool     GlobalMaxPooling1D  32             0    0.0%           0    256 B",
        "encoder/summary  Dense               24       1.536 k    1.2%         792    192 B",
        "both             Concatenate         48             0    0.0%           0    192 B",
        "priority         Dense               1             48    0.0%          49      4 B",
        "department       Dense               4            192    0.2%         196     16 B",
    ]
    assert text[14] == "no room in 84 columns for: elementwise, calls"
    assert text[16] == "peak: 12.4 kB at `encoder/conv#1`"


def test_free_sizes_are_named_with_the_option_that_gives_them() -> None:
    text = run(str(DEMO), width=80)
    assert "at least 1,776 MACs" in text
    assert "free sizes of `title`, `body`: give them, as `--input-shape title=16\n" in text
    assert "? Conv1D, 2 calls: sizes that are not known" in text
    assert "share" not in text


def test_a_custom_class_is_named_and_the_sum_says_at_least(saved: Saved) -> None:
    text = run(str(saved("custom_layer_with_parts")))
    assert ": no rule tells what this class multiplies" in text
    assert "at least" in text


@pytest.mark.parametrize("by", ["layer", "class", "block"])
def test_json_has_every_call_and_the_parts(by: str) -> None:
    data = json.loads(run(str(DEMO), *BOUND, "--json", "--by", by, "--batch", "2"))
    assert data["version"] == 1
    found = data["costs"]
    assert found["total"]["macs"] == 2 * 124_656 == sum(part["macs"] for part in found["parts"])
    assert [call["address"] for call in found["calls"]][2:4] == ["embedding#0", "embedding#1"]
    assert found["peak"]["address"] == "encoder/conv#1"
    assert found["by_dtype"]["float32"]["bytes"] == 42_420


def test_a_table_is_written_in_full_with_its_sum(tmp_path: Path) -> None:
    out = tmp_path / "costs.csv"
    assert run(str(DEMO), *BOUND, "-o", str(out)) == f"wrote {out}\n"
    *rows, total = csv.DictReader(out.open())
    assert [row["name"] for row in rows][:3] == ["title", "body", "embedding"]
    assert total["name"] == "sum"
    assert sum(int(row["macs"]) for row in rows) == int(total["macs"]) == 124_656
    assert sum(int(row["activation_bytes"]) for row in rows) == int(total["activation_bytes"])
    markdown = tmp_path / "costs.md"
    run(str(DEMO), "-o", str(markdown), "--by", "class")
    assert "| Conv1D" in markdown.read_text()
    assert "| sum" in markdown.read_text()
    assert "?" in markdown.read_text()


def test_where_all_rows_are_written_top_is_said_to_do_nothing(tmp_path: Path) -> None:
    out = tmp_path / "costs.csv"
    text = run(str(DEMO), *BOUND, "-o", str(out), "--top", "2")
    assert "note: `--top`: of no effect on files, which have every row" in text
    assert len(list(csv.DictReader(out.open()))) == 10
    assert "note: `--top`: of no effect on JSON" in run(str(DEMO), "--json", "--top", "1")


def test_json_and_a_file_are_asked_for_one_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "costs.md"
    assert "does not go with `--json`" in run(str(DEMO), "--json", "-o", str(out), code=2)
    assert not out.exists()


def test_two_shapes_for_one_input_are_wrong_usage() -> None:
    text = run(str(DEMO), "--input-shape", "title=16", "title=17", code=2)
    assert "`--input-shape title=17`: a second shape for `title`" in text


def test_a_batch_that_differs_from_that_of_the_shapes_is_refused() -> None:
    bound = ("--input-shape", "title=4x16", "body=80")
    done = CliRunner().invoke(cli, ["costs", str(DEMO), *bound, "--batch", "2"])
    assert "`title` has 4, 2 is asked for" in str(done.exception)
    assert run(str(DEMO), *bound).splitlines()[1].endswith("for title 16, body 80 · a batch of 4")
    assert "is not a valid whole number" in run(str(DEMO), "--batch", "1e3", code=2)


def test_a_column_without_room_is_named_and_not_explained() -> None:
    narrow, wide = run(str(DEMO), *BOUND, width=80), run(str(DEMO), *BOUND, width=120)
    assert "\nno room in 80 columns for: elementwise, calls\n" in narrow
    assert "elementwise: one for each bias" not in narrow
    assert "no room" not in wide
    assert "elementwise: one for each bias" in wide


def test_which_shape_a_shared_layer_has_is_said_where_its_calls_differ() -> None:
    said = "output: of the last call"
    assert said in run(str(DEMO), *BOUND)
    assert said not in run(str(DEMO), "--input-shape", "title=16", "body=16")
    assert said not in run(str(DEMO), *BOUND, "--by", "class")


def test_quiet_leaves_out_what_the_figures_are() -> None:
    text = run(str(DEMO), *BOUND, "-q")
    assert "MACs: multiply" not in text
    assert "peak: 12.4 kB" in text
    assert not text.endswith("\n\n")
    fields = run(str(DEMO), "--receptive-field", "-q")
    assert "field: how many" not in fields
    assert not fields.endswith("\n\n")


def test_what_is_not_known_at_all_is_not_called_at_least_nothing() -> None:
    import keras

    unbuilt = keras.Sequential([keras.layers.Conv2D(4, 3)])
    free = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3)])
    for model in (unbuilt, free):
        text = to_costs_text(model)
        assert text.splitlines()[1].startswith("? MACs · ")
        assert "at least 0" not in text
        assert "≥ 0" not in text
        assert "peak: ?" in text
    assert "no input is known that has axes of space" in to_receptive_fields_text(unbuilt)
    assert to_costs_text(keras.Sequential([])).splitlines()[1] == "0 MACs · 0 parameters"


def test_costs_and_fields_print_as_their_reports() -> None:
    found, fields = costs(DEMO), receptive_fields(DEMO)
    assert repr(found) == to_costs_text(found, width=100).rstrip()
    assert repr(fields) == to_receptive_fields_text(fields, width=100).rstrip()


def test_names_that_differ_stay_different_where_they_are_cut() -> None:
    names = [
        f"mobilenetv2_1.00_160/block_{i}_{what}#0" for i in range(17) for what in ("expand", "depthwise")
    ]
    rows = [Row(name, {"MACs": "1,234,567"}) for name in [*names, "sum"]]
    for width in (30, 40):
        lines = [plain_text([line]).rstrip() for line in table_lines(rows, ["MACs"], [], [], width)]
        assert max(map(text_columns, lines)) <= width
        assert len(set(lines)) == len(rows) + 1


def test_receptive_fields_are_told_where_they_change() -> None:
    text = run(str(DEMO), "--receptive-field").splitlines()
    assert text[2:8] == [
        "                class               output  input   field  stride  padding",
        "title#0         InputLayer          n       title       1       1        0",
        "body#0          InputLayer          n       body        1       1        0",
        "encoder/conv#0  Conv1D              n × 32  title       3       1        1",
        "encoder/conv#1  Conv1D              n × 32  body        3       1        1",
        "encoder/pool#0  GlobalMaxPooling1D  32      title  global",
    ]
    data = json.loads(run(str(DEMO), "--receptive-field", "--json"))
    assert data["receptive_fields"]["fields"][4]["axes"] == [
        {"size": 3, "stride": 1, "padding": 1, "is_global": False}
    ]


def test_a_cut_tells_what_it_keeps_of_the_products(tmp_path: Path) -> None:
    import keras

    layers = [keras.layers.Dense(4, name="first"), keras.layers.Dense(2, name="last")]
    keras.Sequential([keras.Input((8,)), *layers]).save(tmp_path / "m.keras")
    args = ["extract", str(tmp_path / "m.keras"), "--layers", "first", "--dry-run"]
    done = CliRunner().invoke(cli, args)
    assert done.output.splitlines()[-1].endswith(", 32 of 40 MACs")
    told = json.loads(CliRunner().invoke(cli, [*args, "--json"]).output)
    assert told["macs"] == {"kept": 32, "of": 40}


def test_options_that_do_not_go_together_are_wrong_usage() -> None:
    assert "note: `--by`: of no effect on receptive fields" in run(
        str(DEMO), "--receptive-field", "--by", "class"
    )
    assert "goes with `--receptive-field`" in run(str(DEMO), "--without-gates", code=2)
    run(str(DEMO), "--batch", "0", code=2)
    run(str(DEMO), "--by", "size", code=2)


@pytest.mark.parametrize("name", BUILDERS)
def test_every_model_is_told_in_any_width(name: str, saved: Saved) -> None:
    for by in ("layer", "class", "block"):
        for width in (40, 57, 80):
            lines = to_costs_text(saved(name), by=by, width=width).splitlines()
            assert max(map(text_columns, lines)) <= width
            assert all(line == line.rstrip() for line in lines)


def test_a_model_without_weights_has_costs_all_the_same() -> None:
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D(2)])
    found = costs(model)
    assert (found.total.macs, found.total.parameters, found.by_dtype) == (0, 0, {})
    assert "0 MACs · 0 parameters" in to_costs_text(found)


def test_weights_are_summed_by_dtype(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(4)])
    model.layers[0].quantize("int8")
    found = costs(model)
    assert found.by_dtype is not None
    assert found.by_dtype["int8"].bytes == 8 * 16
    assert "int8" in to_costs_text(found)
    mixed = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, dtype="mixed_float16")])
    told = costs(mixed)
    assert told.by_dtype is not None
    assert set(told.by_dtype) == {"float32"}
    assert told.calls[-1].activation_bytes == 16 * 2


def test_four_digits_are_written_of_a_large_number() -> None:
    numbers = (999, 1000, 9_999.5, 99_999, 999_999, 999_950_000, 3_857_973_248, 10**16)
    assert [format_macs(int(n)) for n in numbers] == [
        "999", "1.000 k", "9.999 k", "100.0 k", "1.000 M", "1.000 G", "3.858 G", "10.00 P",
    ]  # fmt: skip
    assert (format_macs(1776 * 10**20), format_bytes(10**25)) == ("177.6 Z", "10.0 YB")


def test_costs_are_written_as_colours_for_model_explorer(tmp_path: Path) -> None:
    path = tmp_path / "costs.me.json"
    told = run(str(DEMO), *BOUND, "--by", "class", "-o", str(path))
    assert "note: `--by`: of no effect on colours, which every call has" in told
    data = json.loads(path.read_text())["tickets"]
    assert data["name"] == "macs"
    assert sum(result["value"] for result in data["results"].values()) == 124_656
    assert "not `--receptive-field`" in run(str(DEMO), "--receptive-field", "-o", str(path), code=2)
