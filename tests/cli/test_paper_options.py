"""Options for paper and columns: what each says to what is no such thing, and that Python takes them too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.places import DEMO

import kgraph
from kgraph.cli import cli as main

WRONG = {
    ("--page", "a7", "-o", "m.pdf"): "there are 'a4', 'letter' and sizes, as '16x9cm' or '8.5x11in'",
    ("--page", "1x1cm", "-o", "m.pdf"): "a side has from 1 to 200 inches (2.54 to 508 cm)",
    ("--width", "wide", "-o", "m.pdf"): "`width` is 'wide', which is no length, as '8.5cm' or '3.4in'",
    ("--wrap", "99", "-o", "m.svg"): "'99' is neither 'auto' nor a number of columns from 1 to 24",
    ("--wrap", "two", "-o", "m.svg"): "'two' is neither 'auto' nor a number of columns from 1 to 24",
    ("--wrap", "2"): "`--wrap` goes with a picture that is drawn: `-o` a file of `.svg`, `.png`, `.pdf`",
    ("--page", "a4", "-o", "m.dot"): "`--page` goes with a picture that is drawn",
    ("--page", "a4", "--width", "3in", "-o", "m.pdf"): "each say how wide it is; give one of them",
    ("--dpi", "300", "-o", "m.svg"): "`--dpi` goes with dots, as `-o FILE.png` has them; `.svg` has none",
    ("--dpi", "5", "-o", "m.png"): "5 is not in the range 10<=x<=1200",
}


@pytest.mark.parametrize("args", WRONG, ids=" ".join)
def test_what_cannot_be_meant_is_wrong_usage_and_says_what_there_is(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["show", str(DEMO), *args])
    assert done.exit_code == 2
    said = re.sub(r"\s*│\s*|\s+", " ", done.output)
    assert WRONG[args] in said
    assert not list(tmp_path.iterdir())


def test_a_legend_is_told_without_a_file_and_drawn_with_one(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["show", "--legend"])
    assert told.exit_code == 0
    assert "a layer or operation" in told.output
    target = tmp_path / "m.svg"
    done = CliRunner().invoke(main, ["show", str(DEMO), "--legend", "-o", str(target)])
    assert done.exit_code == 0
    assert "calls of one layer" in target.read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def test_python_and_the_command_line_write_the_same(tmp_path: Path) -> None:
    kgraph.save(DEMO, tmp_path / "python.pdf", page="a4", wrap=2, legend=True)
    args = ["show", str(DEMO), "--page", "a4", "--wrap", "2", "--legend", "-o", str(tmp_path / "line.pdf")]
    assert CliRunner().invoke(main, args).exit_code == 0
    assert (tmp_path / "python.pdf").read_bytes() == (tmp_path / "line.pdf").read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [{"wrap": 0}, {"wrap": "2"}, {"wrap": True}, {"dpi": 5}, {"layout": "u"}, {"page": "a4", "width": "3in"}],
)
def test_python_refuses_what_is_no_such_look(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="`"):
        kgraph.Look(**wrong)  # type: ignore[arg-type]
