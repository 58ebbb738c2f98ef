"""What a cut of a large file holds in memory, reads and writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut import run_python
from helpers.benches import figures
from programs import BUILD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def vgg19(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """VGG19, 575 MB; most of it is one layer, near the end."""
    path = tmp_path_factory.mktemp("vgg19") / "vgg19.keras"
    run_python(BUILD, "VGG19", path)
    yield path
    path.unlink()


@pytest.mark.parametrize("layer", ["block3_pool", "fc2"])
def test_a_cut_takes_little_memory_and_reads_and_writes_hardly_more_than_it_keeps(
    layer: str, vgg19: Path, tmp_path: Path
) -> None:
    target = tmp_path / "cut.keras"
    printed = figures("cut.py", vgg19, target, layer)
    megabytes, kept, read, written = map(int, re.findall(r"(?<![.\d])(\d+)(?= MB|,|\n)", printed))
    target.unlink()
    assert kept > (9_000_000 if layer == "block3_pool" else 500_000_000)
    assert max(read, written) < 1.1 * kept + 2_000_000
    assert megabytes < 120
