"""The options of `kgraph show` that choose what is shown and how."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.block_chains import BLOCK, chain
from helpers.command_line import children_seconds, run
from helpers.places import DEMO

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graph_json import to_json
from kgraph.structures import Slots


@pytest.fixture
def many(tmp_path: Path) -> str:
    """A file with 61 blocks of three layers, one of them odd."""
    blocks = [BLOCK] * 30 + [[("Dense", 9), *BLOCK[1:]]] + [BLOCK] * 30
    path = tmp_path / "many.json"
    path.write_text(to_json(chain(blocks)), encoding="utf-8")
    return str(path)


def boxes(path: Path) -> int:
    return len(re.findall(r'class="node (?!output)', path.read_text(encoding="utf-8")))


def fails(*args: str, cwd: Path, environment: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "kgraph", *args]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_picture_that_would_be_too_large_shows_repetitions_once_and_says_so(
    many: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run("show", many, "-o", "a.svg", cwd=tmp_path, environment=environment)
    assert said.splitlines() == [
        "wrote a.svg; closed down to 11 boxes; `--boxes N` shows more or fewer, `--open NAME` opens one"
    ]
    assert boxes(tmp_path / "a.svg") == 10
    said = run("show", many, "-o", "b.svg", "--no-fold", cwd=tmp_path, environment=environment)
    assert said.startswith("wrote b.svg; of 185 boxes: `--only QUERY` draws a part")
    assert boxes(tmp_path / "b.svg") == 184
    run("show", many, "-o", "c.svg", "--depth", "1", cwd=tmp_path, environment=environment)
    assert boxes(tmp_path / "c.svg") == 6


def test_the_terminal_view_folds_when_it_is_asked_to(
    many: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    assert len(run("show", many, cwd=tmp_path, environment=environment).splitlines()) > 184
    said = run("show", many, "--fold", cwd=tmp_path, environment=environment)
    assert "▾ b{0…29}  ×30, 1 dense layer, 3 layers" in said
    assert len(said.splitlines()) < 20


def test_only_and_around_show_what_is_near(tmp_path: Path, environment: dict[str, str]) -> None:
    def names(*options: str) -> set[str]:
        said = run("show", str(DEMO), *options, cwd=tmp_path, environment=environment)
        found = ("title", "body", "embedding", "encoder", "both", "priority", "department")
        return {name for name in found if re.search(rf"^\W+{name}(#\d)? ", said, re.MULTILINE)}

    assert names("--only", "both", "--around", "0") == {"encoder", "both", "priority", "department"}
    assert names("--only", "both", "--around", "1") == {
        "embedding",
        "encoder",
        "both",
        "priority",
        "department",
    }
    assert "body" not in names("--between", "title", "priority")


def test_islands_of_a_part_stand_in_rows_and_what_they_were_cut_from_is_dashed(
    many: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    run("show", many, "--only", "@Add", "--no-fold", "-o", "a.svg", cwd=tmp_path, environment=environment)
    picture = (tmp_path / "a.svg").read_text(encoding="utf-8")
    added = len(re.findall('class="node merge"', picture))
    assert added == 61
    assert len(re.findall('class="node outside"', picture)) > added
    assert picture.count("stroke-dasharray") == len(re.findall('class="node outside"', picture))
    width, height = (float(size) for size in re.findall(r'(?:width|height)="(\d+)pt"', picture)[:2])
    assert 1 / 3 < width / height < 3


@pytest.mark.slow
def test_ten_thousand_layers_are_drawn_if_they_repeat_and_what_is_too_much_is_said(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "same.json").write_text(to_json(chain([BLOCK] * 3_333)), encoding="utf-8")
    start = children_seconds()
    said = run("show", "same.json", "-o", "a.svg", cwd=tmp_path, environment=environment)
    assert children_seconds() - start < 6  # 1.6 where nothing else runs
    assert "closed down to 5 boxes" in said
    odd = chain([[("Dense", width), *BLOCK[1:]] for width in range(1, 1_001)])
    (tmp_path / "odd.json").write_text(to_json(odd), encoding="utf-8")
    said = run("show", "odd.json", "-o", "a.svg", cwd=tmp_path, environment=environment)
    assert "closed down to" in said


def test_what_was_asked_for_is_drawn_unfolded_and_advice_names_no_option_in_use(
    many: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run("show", many, "--only", "b*", "-o", "a.svg", cwd=tmp_path, environment=environment)
    assert "of 185 boxes: a narrower QUERY draws less, `--boxes N` as many as you like, the terminal" in said
    said = run("show", many, "--depth", "1", "-o", "a.svg", cwd=tmp_path, environment=environment)
    assert "`--no-fold` draws all\n" in said


def test_a_layer_that_leads_nowhere_in_a_nested_model_is_no_cut_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    ends = Slots({"": Tensor("in")}), Slots({"0": Tensor("read"), "1": Tensor("unread")})
    inner = [Node("in"), *(Node(name, 0, Slots({"0": Tensor("in")})) for name in ("read", "unread"))]
    parts = (Layer("in", "InputLayer"), Layer("read", "Dense"), Layer("unread", "Dense"))
    layers = (Layer("x", "InputLayer"), Layer("vae", "Functional", Graph("vae", parts, tuple(inner), *ends)))
    nodes = (Node("x"), Node("vae", 0, Slots({"0": Tensor("x")})))
    graph = Graph("g", layers, nodes, Slots({"": Tensor("x")}), Slots({"": Tensor("vae")}))
    (tmp_path / "g.json").write_text(to_json(graph), encoding="utf-8")
    said = run("show", "g.json", "--expand", cwd=tmp_path, environment=environment)
    assert "vae/unread" in said
    assert "◌" not in said


def test_ways_and_options_that_do_not_fit_are_said(tmp_path: Path, environment: dict[str, str]) -> None:
    code, said = fails("show", str(DEMO), "--between", "both", "title", cwd=tmp_path, environment=environment)
    assert code == 1
    assert "no way leads from `both` to `title`" in said
    for options in (
        ["--around", "1"],
        ["--only", "both", "--between", "title", "both"],
        ["--depth", "1", "-o", "a.json"],
        ["--fold", "-o", "a.json"],
        ["--boxes", "0", "-o", "a.dot"],
        ["--boxes", "9", "--depth", "1", "-o", "a.dot"],
        ["--open", "encoder", "--no-fold", "-o", "a.dot"],
    ):
        code, said = fails("show", str(DEMO), *options, cwd=tmp_path, environment=environment)
        assert code == 2


def test_a_picture_has_as_many_boxes_as_asked_for_or_says_how_many_there_are_at_least(
    many: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    found = {}
    for number in (3, 11, 200):
        said = run("show", many, "--boxes", str(number), "-o", "a.svg", cwd=tmp_path, environment=environment)
        found[number] = boxes(tmp_path / "a.svg") + 1, said.strip()
    assert found[3] == (6, "wrote a.svg; there are at least 6 boxes")
    assert [count for count, _ in found.values()] == [6, 11, 185]
    assert [said for _, said in found.values()][1:] == ["wrote a.svg"] * 2


def test_one_block_is_opened_in_its_place_and_framed(
    many: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    run("show", many, "--open", "b3", "-o", "a.svg", cwd=tmp_path, environment=environment)
    picture = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert picture.count('class="cluster"') == 1
    run("show", str(DEMO), "--open", "encoder", "-o", "b.dot", cwd=tmp_path, environment=environment)
    assert (tmp_path / "b.dot").read_text(encoding="utf-8").count("subgraph") == 2  # it is called twice


def test_the_shapes_of_inputs_can_be_given(tmp_path: Path, environment: dict[str, str]) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kgraph", *args]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    shown = run("show", str(DEMO), "--expand", "--input-shape", "title=16", "body=40")
    assert "(None, 16, 32)" in shown.stdout  # the first call of the encoder
    assert "(None, 40, 32)" in shown.stdout  # and its second
    listed = run("select", str(DEMO), "embedding#0", "--input-shape", "title=2x16")
    assert "(2, 16, 16)" in listed.stdout
    planned = run("extract", str(DEMO), "--layers", "both", "--dry-run", "--input-shape", "title=16")
    assert "(None, 16)" in planned.stdout
    for args in (
        ["show", str(DEMO), "--input-shape", "title=16,3"],
        ["extract", str(DEMO), "--layers", "both", "-o", "a.keras", "--input-shape", "title=16"],
    ):
        assert run(*args).returncode == 2
    assert not list(tmp_path.iterdir())


def test_chains_tell_colour_and_dark_change_pictures(tmp_path: Path, environment: dict[str, str]) -> None:
    plain = ("show", str(DEMO), "-o", "plain.dot")
    run(*plain, cwd=tmp_path, environment=environment)
    before = (tmp_path / "plain.dot").read_text(encoding="utf-8")
    for options, text in {
        ("--dark",): "#14181D",
        ("--color", "trainable"): "49  ·  trainable",
        ("--color", "dtype"): "n  int32",
        ("--label", "names", "weights"): "kernel  48 × 4",
        ("--expand", "--chains"): "encoder/conv",
    }.items():
        run("show", str(DEMO), *options, "-o", "other.dot", cwd=tmp_path, environment=environment)
        other = (tmp_path / "other.dot").read_text(encoding="utf-8")
        assert other != before
        assert text in other.replace("&#160;", " ")


def test_mermaid_is_written_for_its_suffix(tmp_path: Path, environment: dict[str, str]) -> None:
    run("show", str(DEMO), "-o", "a.mmd", cwd=tmp_path, environment=environment)
    assert (tmp_path / "a.mmd").read_text(encoding="utf-8").startswith("flowchart TB\n")


def test_a_suffix_of_two_parts_is_no_other_json(tmp_path: Path, environment: dict[str, str]) -> None:
    for name in ("a.me.json", "a.json"):
        run("show", str(DEMO), "-o", name, cwd=tmp_path, environment=environment)
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a.me.json", "a.json"))
    assert first[0]["id"] == second["graph"]["name"]
    given = ("show", str(DEMO), "--fold", "-o", "b.me.json")
    code, said = fails(*given, cwd=tmp_path, environment=environment)
    assert code == 2
    assert "JSON holds every layer" in said


@pytest.mark.parametrize("part", [["--only", "encoder/p*"], ["--between", "encoder/pool", "priority"]])
def test_a_part_inside_a_nested_model_is_shown_open(
    part: list[str], tmp_path: Path, environment: dict[str, str]
) -> None:
    shown = run("show", str(DEMO), *part, cwd=tmp_path, environment=environment)
    assert "encoder/pool" in shown
    assert shown == run("show", str(DEMO), "--expand", *part, cwd=tmp_path, environment=environment)
