"""kgraph beside other programs: the figures that the README gives, measured again, alone on the machine."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from helpers.benches import figures

pytestmark = pytest.mark.long


def test_show_is_ten_times_sooner_than_keras_and_small() -> None:
    (ours, megabytes), (keras, _) = re.findall(r"([\d.]+) s +(\d+) MB", figures("show.py"))
    assert float(keras) > 10 * float(ours)
    assert int(megabytes) < 150


def test_extracting_20_tensors_costs_little_more_than_keras_model() -> None:
    (ratio,) = re.findall(r"([\d.]+) times", figures("live.py"))
    # 1.35 to 1.5 times on an idle machine; a busy one has been seen to add 0.2.
    assert float(ratio) < 1.8


def test_cutting_a_file_is_far_quicker_than_keras() -> None:
    printed = figures("cut.py")
    times, copied, least = (float(x) for x in re.findall(r"([\d.]+) times", printed))
    assert times > 15  # 25 on an idle machine; four fifths of kgraph's time start the process of HDF5
    # `cp` need not sum up what it copies, a zip archive must: that alone takes more than twice as long.
    assert copied < 4
    assert least < 2
    nasnet = re.search(r"NASNetLarge.*kgraph ([\d.]+) s", printed)
    assert nasnet
    assert float(nasnet[1]) < 2  # 0.9 on an idle machine; room for a busy one


def test_costs_take_little_more_than_show_and_far_less_than_tensorflow() -> None:
    printed = figures("costs.py")
    (ratio,) = re.findall(r"([\d.]+) times", printed)
    assert float(ratio) <= 1.3  # 0.9 on an idle machine
    _, ours, keras = (float(x) for x in re.findall(r"([\d.]+) s of", printed))
    assert keras > 10 * ours


def test_a_large_application_is_drawn_soon(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("applications")
    build = "import sys, keras; getattr(keras.applications, sys.argv[1])(weights=None).save(sys.argv[2])"
    paths = []
    for name in ("NASNetLarge", "EfficientNetV2L", "ResNet152V2", "DenseNet201"):
        paths.append(folder / f"{name}.keras")
        subprocess.run([sys.executable, "-c", build, name, paths[-1]], check=True, capture_output=True)
    for seconds in re.findall(r"boxes +([\d.]+) s", figures("pictures.py", *paths)):
        assert float(seconds) < 2.5  # 0.7 to 0.9 where nothing else runs, 1.6 where much does


def test_features_cost_little_more_than_a_bare_loop_and_no_memory() -> None:
    printed = figures("features.py", 30_000)
    for times, more in re.findall(r"  ([\d.]+) times the time, .* ([-+]\d+) MB", printed):
        assert float(times) < 1.3  # 1.0 where nothing else runs
        assert float(more) < 300
