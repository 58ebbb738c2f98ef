"""`kgraph features`: what is written, what is told, and how it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.feature_data import read_features
from helpers.places import DEMO, ROOT

import kgraph
from kgraph.cli import cli


def tickets(folder: Path, count: int = 70) -> Path:
    words = np.random.default_rng(0).integers(0, 500, (count, 12))
    np.savez(folder / "tickets.npz", title=words[:, :4], body=words)
    return folder / "tickets.npz"


def call(*args: object) -> None:
    cli([str(arg) for arg in args], standalone_mode=False)


def test_features_are_written_told_and_not_made_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tickets(tmp_path)
    call("features", DEMO, data, "--layers", "low=encoder/conv#1", "both", "-o", "out.zarr", "--pool", "max")
    told = capsys.readouterr()
    assert told.out == "low  70 × 32  float32\nboth  70 × 48  float32\nwrote out.zarr: 70 rows\n"
    assert told.err == "note: no `--preprocess`: values go in as they are\n"
    with np.load(data) as arrays:
        expected = kgraph.features(DEMO, ["low=encoder/conv#1", "both"], dict(arrays), pool="max")
    made = read_features(tmp_path / "out.zarr")
    assert expected is not None
    assert all(np.array_equal(made[key], array) for key, array in expected.items())

    # DATA may stand behind the queries.
    words = ("features", DEMO, "--layers", "low=encoder/conv#1", "both", data)
    call(*words, "-o", "out.zarr", "--pool", "max")
    assert capsys.readouterr().out.endswith("out.zarr is whole already: 70 rows\n")
    call(*words, "-o", "out.npz", "--limit", 9, "--json", "-q")
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert told.err == ""
    assert {key: facts[key] for key in ("version", "rows", "bad", "out", "begun_at", "pool")} == {
        "version": 1, "rows": 9, "bad": [], "out": "out.npz", "begun_at": 0, "pool": None,
    }  # fmt: skip
    assert facts["outputs"]["both"] == {"name": "both", "shape": [48], "dtype": "float32"}


def test_what_is_missing_is_wrong_usage(tmp_path: Path, environment: dict[str, str]) -> None:
    for words, missing in (
        (["x.npy", "-o", "out"], "`--layers` is missing"),
        (["x.npy", "--layers", "both"], "`-o OUT` is missing"),
        (["--layers", "both", "-o", "out"], "DATA is missing"),
    ):
        command = [sys.executable, "-m", "kgraph", "features", str(DEMO), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, missing in done.stderr) == (2, True)


@pytest.mark.long
def test_ctrl_c_ends_the_program_between_batches_and_the_same_command_goes_on(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    tickets(tmp_path, 20_000)
    (tmp_path / "slow.py").write_text(
        "import time\ndef down(batch):\n    time.sleep(.05)\n    return batch\n"
    )
    command = [
        sys.executable, "-m", "kgraph", "features", str(DEMO), "tickets.npz", "--layers", "both", "-o", "out",
        "--preprocess", "slow:down", "--batch", "200",
    ]  # fmt: skip
    environment |= {"PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while run.poll() is None and not (tmp_path / "out.part" / "state.json").exists():
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGINT)
    out, said = run.communicate()
    assert (run.returncode, out) == (130, "")
    assert "Traceback" not in said
    first, last = said.strip().splitlines()[-2:]
    assert first.startswith("`out` has ")
    assert first.endswith(" of 20,000 rows; the same again goes on there")
    assert last == "interrupted"
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "wrote out: 20,000 rows, of which " in done.stdout
    assert read_features(tmp_path / "out")["both"].shape == (20_000, 48)
