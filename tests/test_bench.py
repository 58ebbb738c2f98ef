"""The figures that the README gives, measured again in this run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.show import BUILD, report


@pytest.mark.slow
def test_show_is_ten_times_sooner_than_keras_and_small(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nasnet_large.keras"
    subprocess.run([sys.executable, "-c", BUILD, str(path)], check=True, stderr=subprocess.DEVNULL)
    with capsys.disabled():
        print()
        ours, keras = report(path)
    path.unlink()
    assert keras.seconds > 10 * ours.seconds
    assert ours.megabytes < 150
