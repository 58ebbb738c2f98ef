"""`kgraph show -o page.html` and `--browse`."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import run
from helpers.places import DEMO

import kgraph


def test_a_page_is_one_file_that_asks_nothing_of_any_network(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    told = run("show", str(DEMO), "-o", "page.html", cwd=tmp_path, environment=environment)
    assert told == "wrote page.html\n"
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page == kgraph.to_html(DEMO)  # byte by byte, from another process
    assert "default-src 'none'" in html.unescape(page)
    own = re.sub(r'<script id="[^>]*>[^<]*</script>', "", page)  # without the model's data and pictures
    addresses = own.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "http" not in addresses
    assert len(own) < 60_000


def test_browse_opens_the_page_in_the_browser(tmp_path: Path, environment: dict[str, str]) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    run("show", str(DEMO), "--browse", cwd=tmp_path, environment=environment | {"BROWSER": f"{browser} %s"})
    opened = (tmp_path / "opened").read_text().strip()
    assert opened.startswith("file:///")
    assert opened.endswith("/model.html")
    assert Path(opened.removeprefix("file://")).read_text("utf-8").startswith("<!doctype html>")


def test_where_there_is_no_browser_the_page_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "kgraph", "show", str(DEMO), "--browse", "-o", "own.html"]
    without = environment | {"PATH": "", "BROWSER": "no-such-browser"}
    done = subprocess.run(command, cwd=tmp_path, env=without, capture_output=True, text=True, check=True)
    assert done.stdout == "wrote own.html\n"
    assert done.stderr == "note: no browser was found; open that file in one\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--browse", "-o", "x.svg"], "`--browse` shows a page: `-o x.html`"),
        (["--browse", "--json"], "`--browse` shows the graph; it does not go with `--json` or a LAYER"),
        (["both", "--browse"], "`--browse` shows the graph; it does not go with `--json` or a LAYER"),
    ],
)
def test_what_does_not_go_with_a_page_is_said(
    options: list[str], said: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "kgraph", "show", str(DEMO), *options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_options_that_a_page_does_not_heed_are_named(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "kgraph", "show", str(DEMO), "-o", "x.html", "--expand", "--dark"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "`--expand` has no effect here" in done.stderr
    assert "`--dark` has no effect here" in done.stderr
    part = run("show", str(DEMO), "-o", "x.html", "--only", "both", cwd=tmp_path, environment=environment)
    assert part == "wrote x.html\n"
