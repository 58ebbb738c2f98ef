"""Models of packages whose classes make their layers themselves: files that hold no layers, seen live."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.command_line import failed, run
from helpers.places import SHARED

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("shared")]
ZOO = SHARED / "corpus" / "zoo-generated"
# File → the package, the module that the file names, and a tensor in the middle.
COMPACT = {
    "kerashub_bert_COMPACT.keras": (
        "keras_hub",
        "keras_hub.src.models.bert.bert_backbone",
        "transformer_layer_1",
    ),
    "kimm_lcnet035_COMPACT.keras": ("kimm", "kimm._src.models.mobilenet_v3", "@Conv2D[-1]"),
}


@pytest.mark.parametrize("name", COMPACT)
def test_a_compact_file_says_who_knows_it_and_is_read_live(
    name: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    package, module, query = COMPACT[name]
    pytest.importorskip(package)
    path, how = str(ZOO / name), ("--with-keras", "--import", module)
    said = failed("show", path, cwd=tmp_path, environment=environment)
    assert (
        f"`{package}` would know: where that is installed, `--with-keras --import {module}` loads it" in said
    )
    shown = run("show", path, *how, cwd=tmp_path, environment=environment)
    assert "parameters: " in shown
    assert "layer" in run("shared", path, *how, cwd=tmp_path, environment=environment)
    assert "#0" in run("select", path, query, *how, cwd=tmp_path, environment=environment)
    words = ("extract", path, "--layers", query, "-o", "cut.keras", *how)
    assert "wrote cut.keras" in run(*words, cwd=tmp_path, environment=environment)
    assert (tmp_path / "cut.keras").exists()
