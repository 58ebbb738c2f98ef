"""The README and the documentation: each command and each line of Python in them is run, in order.

What stands there must be what they print. `KGRAPH_README=1` writes what the commands print now, and the
pictures; look at it before it is kept.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.documents import BLOCK, PICTURE, make_folder, run, run_page
from helpers.places import ROOT
from helpers.svg_words import words

import kgraph

README, DOCS = ROOT / "README.md", ROOT / "docs"
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md"))]
REWRITE = bool(os.environ.get("KGRAPH_README"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if "\n$ " in (ROOT / name).read_text()])
def test_each_block_of_a_page_gives_what_stands_there(name: str, tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    outcome = run_page(ROOT / name, folder)
    pictures = [picture for picture in PICTURE.findall(outcome.text) if (ROOT / picture).exists()]
    if REWRITE:
        (ROOT / name).write_text(outcome.text)
        for picture in pictures:
            shutil.copy(folder / picture, ROOT / picture)
        return
    assert not outcome.faults, "\n".join(outcome.faults)
    for picture in pictures:
        made, kept = (words((place / picture).read_text()) for place in (folder, ROOT))
        assert len(kept) > 10
        assert made == kept


def test_each_picture_of_a_page_is_made_in_one() -> None:
    texts = [(ROOT / name).read_text() for name in PAGES]
    shown = {name.removeprefix("../") for text in texts for name in re.findall(r"!\[.*\]\((.*\.svg)\)", text)}
    assert shown <= {picture for text in texts for picture in PICTURE.findall(text)}


def test_what_is_no_command_and_no_python_is_a_set_up_or_takes_minutes() -> None:
    rest = [
        block[2].strip()
        for block in BLOCK.finditer(README.read_text())
        if block[1] != "python" and "$ " not in block[2]
    ]
    assert rest[:2] == ["pip install . && kgraph demo", "pip install -e '.[test]' && pytest"]
    assert len(rest) == 2


def test_every_public_name_is_in_the_reference() -> None:
    told = re.findall(r"^\.\. auto\w+:: kgraph\.(\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(kgraph.__all__)


def test_every_page_is_in_the_contents() -> None:
    lists = [block[2] for block in BLOCK.finditer((DOCS / "index.md").read_text()) if "toctree" in block[1]]
    told = re.findall(r"^([\w/]+)$", "\n".join(lists), re.MULTILINE)
    assert sorted(["docs/index.md", *(f"docs/{name}.md" for name in told)]) == sorted(PAGES[1:])


def test_each_link_to_a_page_leads_to_one() -> None:
    for name in PAGES:
        for link in re.findall(r"\]\(((?:\.\./)*[\w/]+\.(?:md|svg|png))\)", (ROOT / name).read_text()):
            assert ((ROOT / name).parent / link).is_file(), (name, link)


@pytest.mark.slow
def test_sphinx_builds_the_documentation_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "encoder" in (tmp_path / "how_to" / "siamese.html").read_text()


@pytest.mark.slow
def test_bash_is_given_what_completes_the_commands(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    printed, failed = run(folder, "_KGRAPH_COMPLETE=bash_source kgraph")
    assert not failed
    assert "_KGRAPH_COMPLETE=bash_complete" in printed
    for typed, completed in (
        ("kgraph show ki", "file,ki"),
        ("kgraph shared m.keras --va", "plain,--values"),
        ("kgraph extract m.keras -o ki", "file,ki"),
    ):
        which = len(typed.split()) - 1
        line = f"COMP_WORDS={shlex.quote(typed)} COMP_CWORD={which} _KGRAPH_COMPLETE=bash_complete kgraph"
        assert run(folder, line)[0] == f"{completed}\n"


def test_each_file_that_the_readme_names_is_there() -> None:
    text = "\n".join((ROOT / name).read_text() for name in PAGES)
    for name in re.findall(r"`((?:tests|kgraph|examples)/[\w/]+\.\w+)`", text):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"`(test_\w+\.py|corpus/\w+\.toml)`", text):
        assert list((ROOT / "tests").rglob(name.rpartition("/")[2])), name
    for example in (ROOT / "examples").glob("*.py"):
        assert f"`{example.name}`" in text or f"examples.{example.stem}:" in text
