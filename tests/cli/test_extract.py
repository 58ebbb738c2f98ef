"""`kgraph extract` on files: what it writes, says and refuses."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner, Result
from helpers.command_line import failed, run
from helpers.places import DEMO

from kgraph.cli import cli
from kgraph.errors import KGraphError, ReadError
from kgraph.extraction.file import extract_file
from kgraph.extraction.verify import verify
from kgraph.sources import read
from kgraph.sources.model_file import open_model_file


def test_a_cut_is_verified_by_keras_in_a_process_of_its_own(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run(
        "extract", str(DEMO), "--layers", "encoder/conv#1", "both", "-o", "cut.keras", "--verify",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("wrote cut.keras\nverified: 2 outputs equal to the last bit\n")


def changed(path: Path, array: str) -> Path:
    """The file with another number in an array, beside it."""
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        file[array][0] += 1
    other = path.with_name("other.keras")
    with zipfile.ZipFile(other, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.write(folder / name, name)
    return other


def test_a_tail_is_verified_on_what_the_head_makes(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run(
        "extract", str(DEMO), "--layers", "encoder#1", "embedding#0", "-o", "a.keras", "--tail", "b.keras",
        "--verify", cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("verified: 4 outputs equal to the last bit\n")
    extract_file(DEMO, tmp_path / "a.keras", "both", tail=tmp_path / "b.keras", force=True)
    found = verify(
        open_model_file(DEMO),
        tmp_path / "a.keras",
        "both",
        tail=changed(tmp_path / "b.keras", "layers/dense/vars/1"),
    )
    assert found.outputs == ("both", "tail: 0", "tail: 1")
    assert len(found.different) == 1
    assert found.different[0].startswith("tail: ")


def test_a_file_that_makes_other_numbers_is_told(tmp_path: Path) -> None:
    extract_file(DEMO, tmp_path / "cut.keras", ["both", "embedding#0"])
    other = changed(tmp_path / "cut.keras", "layers/functional/layers/dense/vars/1")
    found = verify(open_model_file(DEMO), other, ["both", "embedding#0"])
    assert found.outputs == ("both", "embedding#0")
    assert found.different == ("both",)


def test_what_cannot_be_compared_is_kept_and_ends_with_1(
    saved: Callable[[str], Path], tmp_path: Path, environment: dict[str, str]
) -> None:
    said = failed(
        "extract", str(saved("custom_layer_with_parts")), "--layers", "**", "-o", "cut.keras", "--verify",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert "`cut.keras` is written but could not be compared: Keras 3 cannot load the source" in said
    assert (tmp_path / "cut.keras").exists()


def test_both_halves_are_written(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run(
        "extract", str(DEMO), "--layers", "both", "-o", "head.keras", "--tail", "rest.keras",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("wrote head.keras and rest.keras\n")
    shown = run("show", "rest.keras", cwd=tmp_path, environment=environment)
    assert any("both" in line and "InputLayer" in line for line in shown.splitlines())


def test_what_is_left_out_is_said(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run(
        "extract", str(DEMO), "--layers", "both", "-o", "a.keras", "-v", cwd=tmp_path, environment=environment
    )
    assert "left out: the compile config and the optimizer\n" in said


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["--layers", "both"], "`-o FILE.keras` is missing"),
        (["--layers", "both", "-o", "a.h5"], "`a.h5` is no `.keras` file"),
        (["--layers", "both", "-o", "a.keras", "--tail", "b.h5"], "`b.h5` is no `.keras` file"),
        (["--layers", "both", "-o", "a.keras", "--tail", "none/b.keras"], "make the folder `none` first"),
        (["--layers", "both", "-o", "none/a.keras"], "make the folder `none` first"),
        (["--layers", "bth", "-o", "a.keras"], "near it: `both`"),
        (["--layers", "both", "-o", "a.keras", "--tail", "a.keras"], "give two names"),
        (
            ["--layers", "both", "-o", "a.keras", "--tail", "b.keras", "--inputs", "title"],
            "`--tail` goes with",
        ),
        (["-o", "a.keras"], "`--layers` is missing"),
    ],
)
def test_careless_commands_are_told_what_to_do(
    args: list[str], what: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    assert what in failed("extract", str(DEMO), *args, cwd=tmp_path, environment=environment)
    assert not any(tmp_path.iterdir())


def test_a_bar_is_drawn_on_a_terminal_for_what_takes_long() -> None:
    code = (
        "import time; from kgraph.cli.terminal import progress\n"
        "with progress('writing big.keras') as watch:\n"
        "    for done in range({steps}): watch(done * 1000, 12_000); time.sleep(0.1)\n"
    )
    for steps, is_drawn in ((12, True), (2, False)):
        ours, theirs = pty.openpty()
        subprocess.run([sys.executable, "-c", code.format(steps=steps)], stderr=theirs, check=True)
        os.close(theirs)
        drawn = b""
        try:
            while part := os.read(ours, 1 << 16):
                drawn += part
        except OSError:  # the other end is closed
            pass
        assert (b"writing big.keras" in drawn) == is_drawn
    piped = subprocess.run([sys.executable, "-c", code.format(steps=12)], capture_output=True, check=True)
    assert piped.stderr == b""


def extract_here(*args: str) -> Result:
    """What `kgraph extract` says and raises, in this process, which has Keras already."""
    return CliRunner().invoke(cli, ["extract", *args])


def test_keras_cuts_what_kgraph_cuts(tmp_path: Path) -> None:
    import keras

    ours, theirs = (str(tmp_path / name) for name in ("ours.keras", "theirs.keras"))
    for target, options in ((ours, []), (theirs, ["--with-keras"])):
        done = extract_here(str(DEMO), "--layers", "encoder/pool#1", "-o", target, *options)
        assert done.exit_code == 0, done.output
        assert done.output.endswith(f"wrote {target}\n")
    assert read(ours) == read(theirs)
    left, right = (keras.models.load_model(path) for path in (ours, theirs))
    for a, b in zip(left.get_weights(), right.get_weights(), strict=True):
        assert (a == b).all()


def test_a_model_that_code_builds_is_cut_but_cannot_be_verified(tmp_path: Path) -> None:
    target = str(tmp_path / "a.keras")
    done = extract_here("models.plain:branches_and_skip", "--layers", "add", "-o", target, "--verify")
    assert "wrote" in done.output
    assert isinstance(done.exception, KGraphError)
    assert "is no file that Keras could load again" in str(done.exception)
    assert [tensor.layer for tensor in read(target).outputs.values()] == ["add"]


def test_what_keras_cannot_load_is_said(saved: Callable[[str], Path], tmp_path: Path) -> None:
    target = tmp_path / "a.keras"
    source = str(saved("lambda_layer"))
    done = extract_here(source, "--layers", "**", "-o", str(target), "--with-keras")
    assert isinstance(done.exception, ReadError)
    assert f"Keras may not load `{source}`: it holds Python bytecode at" in str(done.exception)
    assert "--unsafe" in done.exception.hint
    assert not target.exists()
