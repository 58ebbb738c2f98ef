"""What was stopped, killed or failed is gone on with: the end is that of a run that nothing disturbed."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.feature_data import draw_images, files_below, photo_model, read_features, small_model
from helpers.places import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

import kgraph
from kgraph.inference.interrupts import Stopped

GROWING = ("features", "features.zarr", "features.parquet")
DATA = np.random.default_rng(0).normal(size=(3000, 4)).astype("float32")
# A run of its own: features of data.npy through model.keras, a tenth of a second slower a batch.
PROGRAM = """
import sys, time, numpy as np, kgraph
def slow(batch):
    time.sleep(0.1)
    return batch
kgraph.features("model.keras", ["hidden", "summary"], "data.npy", sys.argv[1], preprocess=slow)
"""


class TroubleError(Exception):
    """What data of others may raise."""


def failing(at: int | None) -> Iterator[Any]:
    """DATA in batches of 50 that fail once so many were given."""
    for number, begin in enumerate(range(0, len(DATA), 50)):
        if number == at:
            raise TroubleError("the network is gone")
        yield DATA[begin : begin + 50]


@given(stops=st.lists(st.integers(0, 59), max_size=3), form=st.sampled_from(GROWING))
@settings(max_examples=6)
def test_law_a_run_that_failed_anywhere_ends_as_one_that_did_not(
    stops: list[int], form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, model = tmp_path_factory.mktemp("runs"), small_model()
    for at in stops:
        with pytest.raises(kgraph.KGraphError, match="the network is gone"):
            kgraph.features(model, "hidden", failing(at), folder / form)
        assert not (folder / form).exists()
    kgraph.features(model, "hidden", failing(None), folder / form)
    (folder / "whole").mkdir()
    kgraph.features(model, "hidden", failing(None), folder / "whole" / form)
    assert files_below(folder / form) == files_below(folder / "whole" / form)
    assert len(read_features(folder / form)["hidden"]) == 3000
    assert sorted(path.name for path in folder.iterdir()) == sorted([form, "whole"])


@pytest.mark.parametrize("form", GROWING)
def test_ctrl_c_stops_between_batches_and_says_how_to_go_on(form: str, tmp_path: Path) -> None:
    model = small_model()

    def press(done: int, _: int | None) -> None:
        if done == 1600:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match=r"has 1,\d+ of 3,000 rows; the same again goes on there") as stopped:
        kgraph.features(model, "hidden", DATA, tmp_path / form, watch=press)
    assert isinstance(stopped.value, KeyboardInterrupt)
    told: list[int] = []
    kgraph.features(model, "hidden", DATA, tmp_path / form, watch=lambda done, _: told.append(done))
    assert told[0] == stopped.value.written > 0
    np.testing.assert_array_equal(
        read_features(tmp_path / form)["hidden"],
        kgraph.features(model, "hidden", DATA)["hidden"],  # type: ignore[index]
    )


def test_what_is_whole_is_not_made_again(tmp_path: Path) -> None:
    model, told = small_model(), list[int]()
    kgraph.features(model, "hidden", DATA, tmp_path / "out")
    before = files_below(tmp_path / "out")
    kgraph.features(model, "hidden", DATA, tmp_path / "out", watch=lambda done, _: told.append(done))
    assert told == []
    assert files_below(tmp_path / "out") == before


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("model", "another model"),
        ("queries", "other queries"),
        ("data", "other rows"),
        ("preprocess", "another preprocessing"),
        ("batch", "another batch size"),
        ("dtype", "another dtype"),
    ],
)
def test_a_target_of_another_run_is_refused_and_kept(
    what: str, words: str, begun: bool, tmp_path: Path
) -> None:
    first: dict[str, Any] = {"model": small_model(), "queries": "hidden", "data": DATA}
    other = small_model()
    other.layers[1].kernel.assign(other.layers[1].kernel + 1)
    changes = {
        "model": other, "queries": "summary", "data": DATA[:99], "preprocess": "scale=2", "batch": 7,
        "dtype": "float16",
    }  # fmt: skip

    def press(done: int, _: int | None) -> None:
        if done == 640 and begun:
            os.kill(os.getpid(), signal.SIGINT)

    try:
        kgraph.features(**first, out=tmp_path / "out", watch=press)
    except Stopped:
        assert begun
    before = files_below(tmp_path)
    with pytest.raises(kgraph.KGraphError, match=f"(with|made with) {words}[, ]?") as refusal:
        kgraph.features(**first | {what: changes[what]}, out=tmp_path / "out")
    assert "force=True" in refusal.value.__notes__[0]
    assert files_below(tmp_path) == before
    kgraph.features(**first | {what: changes[what]}, out=tmp_path / "out", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_target_that_another_run_writes_is_refused(tmp_path: Path) -> None:
    import fcntl

    model = small_model()
    (tmp_path / "out.part").mkdir()
    with (tmp_path / "out.part" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(kgraph.KGraphError, match="is being written by another run"):
            kgraph.features(model, "hidden", DATA, tmp_path / "out")
    kgraph.features(model, "hidden", DATA, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", ["features", "features.zarr"])
def test_a_disk_that_fills_up_loses_nothing(form: str, tmp_path: Path) -> None:
    """The limit is one of the process, on the size of a file; a full disk says so of the same calls."""
    model, before = small_model(), resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = 30_000 if form == "features" else 2_000
    batch = 32 if form == "features" else 100
    done = []
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        with pytest.raises(kgraph.KGraphError, match="cannot be written") as full:
            kgraph.features(
                model, "hidden", DATA, tmp_path / form, batch=batch, watch=lambda at, _: done.append(at)
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    if form == "features":
        assert "goes on there" in full.value.hint
        assert done[-1] > 0
    kgraph.features(model, "hidden", DATA, tmp_path / form, batch=batch)
    np.testing.assert_array_equal(
        read_features(tmp_path / form)["hidden"],
        kgraph.features(model, "hidden", DATA, batch=batch)["hidden"],  # type: ignore[index]
    )


def test_a_run_that_failed_after_its_last_row_ends(tmp_path: Path) -> None:
    """The names of the rows are what is written last; the limit is between the features and them."""
    draw_images(tmp_path / "in", 140)
    model, before = photo_model(), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (140 * 3 * 4 + 256 + 400, before[1]))
        with pytest.raises(kgraph.KGraphError, match="cannot be written any further"):
            kgraph.features(model, "mean", tmp_path / "in", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told: list[int] = []
    kgraph.features(model, "mean", tmp_path / "in", tmp_path / "out", watch=lambda done, _: told.append(done))
    assert told == [140]
    assert read_features(tmp_path / "out")["mean"].shape == (140, 3)


def begin(folder: Path, out: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, out], cwd=folder, env=environment)


def kill_and_go_on(folder: Path, form: str, kills: int, seed: int) -> int:
    """How often a run was killed before its end, at moments by chance; then it was left to end.

    Each fourth time the moment lies anywhere from its start on, else among the batches.
    """
    chance, killed = random.Random(seed), 0
    for number in range(kills):
        run = begin(folder, form)
        part = folder / f"{form}.part" / "state.json"
        before = part.stat().st_mtime_ns if part.exists() else 0
        if number % 4 == 3:
            time.sleep(chance.uniform(0, 6))
        else:
            while run.poll() is None and not (part.exists() and part.stat().st_mtime_ns > before):
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.06))
        run.send_signal(signal.SIGKILL)
        killed += run.wait() == -signal.SIGKILL
    assert begin(folder, form).wait() == 0
    return killed


def prepare(folder: Path) -> None:
    small_model().save(folder / "model.keras")
    np.save(folder / "data.npy", DATA)


@pytest.mark.long
@pytest.mark.parametrize("form", ["features", "features.zarr"])
def test_killed_at_20_moments_the_end_is_the_same_byte_by_byte(form: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    killed = kill_and_go_on(tmp_path, form, kills=20, seed=1)
    (tmp_path / "whole").mkdir()
    prepare(tmp_path / "whole")
    os.utime(tmp_path / "whole" / "data.npy", ns=(0, (tmp_path / "data.npy").stat().st_mtime_ns))
    assert begin(tmp_path / "whole", form).wait() == 0
    assert files_below(tmp_path / form) == files_below(tmp_path / "whole" / form)
    print(
        f"\n{form}: killed {killed} times, {len(files_below(tmp_path / form))} files equal to the last byte"
    )
    assert killed == 20
