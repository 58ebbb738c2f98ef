"""Features on Ray: those of one machine, each row once, whatever actors and machines are lost.

What starts Ray is `long`; what refuses before that is not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest
from helpers.feature_data import (
    PREPROCESS,
    draw_images,
    files_below,
    mobilenet,
    photo_model,
    read_features,
    small_model,
)
from helpers.places import ROOT

import kgraph
from kgraph.inference.job import Options
from kgraph.inference.ray_engine import choose_pool

FORMS = ("features", "features.zarr", "features.parquet", "features.npz")


def test_actors_leave_a_processor_or_are_refused_with_the_numbers() -> None:
    assert choose_pool(8, Options()).actors == 7
    assert choose_pool(8, Options(cpus=2)).actors == 3
    assert choose_pool(2, Options(actors=2, cpus=0.5)).actors == 2
    with pytest.raises(
        kgraph.KGraphError, match="4 actors of 2 processors take 8 of the 8 that Ray has"
    ) as refusal:
        choose_pool(8, Options(actors=4, cpus=2))
    assert refusal.value.hint == "`--actors 3` leaves one"
    with pytest.raises(kgraph.KGraphError, match="1 actor of 1 processors take 1 of the 1 that Ray has"):
        choose_pool(1, Options())


def test_a_ray_that_is_absent_is_named_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        kgraph.KGraphError, match="to run on Ray takes ray, which is not installed"
    ) as refusal:
        kgraph.features(small_model(), "hidden", np.zeros((5, 4)), engine="ray")
    assert refusal.value.hint == "pip install 'keras-kgraph[ray]'"


@pytest.mark.long
def test_an_address_where_nobody_answers_is_told_at_once(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1", "auto"):
        begun_at = time.monotonic()
        with pytest.raises(kgraph.KGraphError, match=f"no Ray cluster answers at `{address}`"):
            kgraph.features(
                small_model(), "hidden", np.zeros((5, 4)), tmp_path / "f", engine="ray", address=address
            )
        assert time.monotonic() - begun_at < 60


@pytest.mark.long
def test_batches_that_come_one_by_one_cannot_be_shared_out() -> None:
    pytest.importorskip("ray")
    with pytest.raises(kgraph.KGraphError, match="batches that come one by one cannot be shared out on Ray"):
        kgraph.features(small_model(), "hidden", iter([np.zeros((5, 4))]), engine="ray")


@pytest.fixture(scope="module")
def local_ray() -> Iterator[Any]:
    """Ray on this machine, for the tests that lose nothing."""
    ray = pytest.importorskip("ray")
    environment = {"env_vars": {"TF_CPP_MIN_LOG_LEVEL": "3"}}
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    yield ray
    ray.shutdown()


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_on_ray_512_images_give_what_they_give_on_one_machine(
    form: str, local_ray: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.getbasetemp() / "ray images"
    queries = ["low=block_6_expand_relu", "out_relu", "block_16_project_BN"]
    if not top.exists():
        draw_images(top / "images", 512)
        mobilenet().save(top / "model.keras")
    arguments = (top / "model.keras", queries, top / "images")
    kgraph.features(*arguments, tmp_path / form, preprocess=PREPROCESS, engine="ray")
    made = read_features(tmp_path / form)
    here = kgraph.features(*arguments, preprocess=PREPROCESS)
    assert here is not None
    for key, array in here.items():
        assert np.abs(array).max() > 0.1
        assert np.array_equal(made[key], array), np.abs(made[key] - array).max()
    names = sorted(str(path.relative_to(top / "images")) for path in (top / "images").rglob("*.*"))
    assert made["row"].tolist() == names


@pytest.mark.long
def test_on_ray_each_kind_of_data_and_bad_images(local_ray: Any, tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(300, 4)).astype("float32")
    np.save(tmp_path / "x.npy", data)
    model = small_model()
    here = kgraph.features(model, "hidden", data, preprocess="scale=2")
    for given in (data, {"x": data}, tmp_path / "x.npy"):
        made = kgraph.features(model, "hidden", given, preprocess="scale=2", engine="ray")
        assert made is not None
        assert here is not None
        np.testing.assert_array_equal(made["hidden"], here["hidden"])
    draw_images(tmp_path / "in", 50)
    bad = sorted(str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*.*"))[7]
    (tmp_path / "in" / bad).write_bytes(b"no image")
    with pytest.raises(kgraph.KGraphError, match=f"`{bad}` cannot be decoded"):
        kgraph.features(photo_model(), "mean", tmp_path / "in", tmp_path / "out", engine="ray")
    with pytest.warns(UserWarning, match=f"1 images cannot be decoded: `{bad}`"):
        kgraph.features(photo_model(), "mean", tmp_path / "in", tmp_path / "out", engine="ray", skip_bad=True)
    made = read_features(tmp_path / "out")
    assert made["mean"].shape == (49, 3)
    assert bad not in made["row"]


# A cluster of several raylets on this machine, and a run on it; lines tell what is to be killed.
PROGRAM = """
import sys, time, numpy as np, ray, kgraph
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
ray.init(address=cluster.address, log_to_driver=False)
lost = []
def slow(batch):
    time.sleep(0.4)
    return batch
def watch(done, count):
    print("done", done, count, flush=True)
    if done > 700 and not lost:
        lost.append(True)
        cluster.remove_node(nodes[1], allow_graceful=False)
        print("node lost", flush=True)
kgraph.features("model.keras", "hidden", "x.npy", "out.zarr", preprocess=slow, engine="ray", actors=2,
                cpus=0.9, watch=watch)
print("ended", flush=True)
ray.shutdown(); cluster.shutdown()
"""


def actors_below(parent: int) -> list[int]:
    """The processes of Ray's actors that descend from a process."""
    parents, names = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                names[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])

    def descends(process: int) -> bool:
        while process > 1 and process != parent:
            process = parents.get(process, 0)
        return process == parent

    return [process for process, name in names.items() if "MapBatches(Actor)" in name and descends(process)]


@pytest.mark.long
def test_an_actor_and_then_a_machine_are_lost_and_each_row_is_there_once(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    data = np.random.default_rng(0).normal(size=(2000, 4)).astype("float32")
    np.save(tmp_path / "x.npy", data)
    model = small_model()
    model.save(tmp_path / "model.keras")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    guard = Timer(400, run.kill)
    guard.start()
    said, killed = [], 0
    assert run.stdout is not None
    for line in run.stdout:
        said.append(line.strip())
        if line.startswith("done ") and int(line.split()[1]) > 100 and not killed:
            os.kill(actors_below(run.pid)[0], signal.SIGKILL)
            killed += 1
    guard.cancel()
    assert run.wait() == 0
    assert killed == 1
    assert "node lost" in said
    assert said[-1] == "ended"
    made = read_features(tmp_path / "out.zarr")
    assert made["row"].tolist() == [str(row) for row in range(2000)]
    here = kgraph.features(tmp_path / "model.keras", "hidden", data)
    assert here is not None
    np.testing.assert_array_equal(made["hidden"], here["hidden"])
    assert not (tmp_path / "out.zarr.part").exists()
    assert files_below(tmp_path / "out.zarr")
