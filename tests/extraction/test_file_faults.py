"""Cutting files when something goes wrong: nothing is ever half written, and every refusal says why."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.long_models import X, h5_file, keras_file, layer, model

from kgraph.errors import ConfigError, ExtractError, FormatError, KGraphError, UnsafeError
from kgraph.extraction.file import extract_file, open_cuttable, save_together
from kgraph.extraction.plan import plan
from kgraph.sources import read
from kgraph.transforms.keras_order import renumber

CUT = "import sys, kgraph; kgraph.extract_file(*sys.argv[1:], 'second', force=True)"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 200 MB, so that writing takes a while."""
    import keras

    x = keras.Input((5_000,), name="x")
    y = keras.layers.Dense(5_000, name="first")(x)
    y = keras.layers.Dense(5_000, name="second")(y)
    path = tmp_path_factory.mktemp("large") / "large.keras"
    keras.Model(x, keras.layers.Dense(1, name="last")(y)).save(path)
    return path


@pytest.fixture
def small(saved: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a small file, to be damaged."""
    path = tmp_path / "small.keras"
    path.write_bytes(saved("nested_model").read_bytes())
    return path


def repacked(
    path: Path, change: Callable[[str, bytes], bytes | None], kind: int = zipfile.ZIP_STORED
) -> None:
    """Write an archive again, each member as `change` gives it, without those for which it gives None."""
    with zipfile.ZipFile(path) as archive:
        members = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)


def reweighed(path: Path, change: Callable[[h5py.File], None], tmp_path: Path) -> None:
    """Change the weights of an archive."""

    def changed(name: str, content: bytes) -> bytes:
        if name != "model.weights.h5":
            return content
        (tmp_path / "w.h5").write_bytes(content)
        with h5py.File(tmp_path / "w.h5", "r+") as file:
            change(file)
        content = (tmp_path / "w.h5").read_bytes()
        (tmp_path / "w.h5").unlink()
        return content

    repacked(path, changed)


def cut(source: Path) -> Path:
    target = source.with_name("cut.keras")
    extract_file(source, target, "tower/hidden")
    return target


@pytest.mark.parametrize("write", [keras_file, h5_file])
def test_a_call_of_constants_stays_a_call(
    write: Callable[[Path, dict[str, Any]], Path], tmp_path: Path
) -> None:
    odd = layer("odd", "ReLU") | {"inbound_nodes": [{"args": [[1.0]], "kwargs": {}}]}
    source = write(tmp_path, model("m", [X, layer("d", "ReLU", ("x", 0)), odd], [("d", 0), ("odd", 0)]))
    target = source.with_stem("cut")
    extract_file(source, target, ["odd"])
    assert read(target) == renumber(plan(read(source), ["odd"]))


@pytest.mark.parametrize("in_line", [False, True], ids=["Functional", "Sequential"])
@pytest.mark.parametrize("write", [keras_file, h5_file])
def test_a_nested_model_that_would_be_left_without_an_input_is_not_cut(
    write: Callable[[Path, dict[str, Any]], Path], in_line: bool, tmp_path: Path
) -> None:
    odd = layer("odd", "ReLU") | {"inbound_nodes": [{"args": [[1.0]], "kwargs": {}}]}
    inside = model("inside", [X, odd, layer("d", "ReLU", ("x", 0))], [("d", 0), ("odd", 0)], ("x", 0))
    around = model("m", [X, inside], [("inside", 1)])
    if in_line:
        around |= {
            "class_name": "Sequential",
            "module": "keras",
            "config": {"name": "m", "layers": [X, inside]},
        }
    source = write(tmp_path, around)
    with pytest.raises(ExtractError, match="`inside` is left without an input"):
        extract_file(source, source.with_stem("cut"), ["inside/odd"])


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_the_target_whole_or_absent_and_the_next_run_clears_up(
    large: Path, tmp_path: Path
) -> None:
    target = tmp_path / "cut.keras"
    command = [sys.executable, "-c", CUT, str(large), str(target)]
    start = perf_counter()
    subprocess.run(command, check=True)
    seconds, whole = perf_counter() - start, target.read_bytes()
    moments = random.Random(0)
    for number in range(20):
        if number % 2:
            target.unlink(missing_ok=True)
        before = target.exists()
        child = subprocess.Popen(command)
        sleep(moments.uniform(0.4, 1.0) * seconds)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert target.exists() or not before
        assert not target.exists() or target.read_bytes() == whole
    subprocess.run(command, check=True)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.slow
def test_a_full_disk_is_an_error_and_leaves_nothing(large: Path, tmp_path: Path) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000,) * 2);"
    code += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);" + CUT
    done = subprocess.run(
        [sys.executable, "-c", code, large, tmp_path / "cut.keras"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cut.keras` cannot be written (File too large)" in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_a_source_cut_off_or_changed_while_it_is_read_is_named(large: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.keras"

    def shorten(done: int, whole: int) -> None:
        os.truncate(source, 30_000_000)

    def lengthen(done: int, whole: int) -> None:
        os.truncate(source, source.stat().st_size + 4)

    for change, what in (
        (shorten, "ends before its weights do"),
        (lengthen, "was changed while it was read"),
    ):
        source.write_bytes(large.read_bytes())
        found = open_cuttable(source)
        submodel = found.submodel(plan(found.file.graph, "second"))
        with pytest.raises(ConfigError, match=what):
            save_together([submodel], [tmp_path / "cut.keras"], [change])
        assert list(tmp_path.iterdir()) == [source]


def test_a_truncated_archive_is_named(small: Path) -> None:
    small.write_bytes(small.read_bytes()[:-500])
    with pytest.raises(FormatError, match="cut off or damaged"):
        cut(small)


def test_garbage_behind_an_archive_does_no_harm(small: Path, saved: Callable[[str], Path]) -> None:
    right = cut(small).read_bytes()
    small.with_name("cut.keras").unlink()
    small.write_bytes(small.read_bytes() + b"garbage" * 100)
    assert cut(small).read_bytes() == right


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(small: Path) -> None:
    with zipfile.ZipFile(small, "a") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(UnsafeError, match=r"two members named `config\.json`"):
        cut(small)


def test_an_asset_outside_the_archive_is_refused(small: Path) -> None:
    with zipfile.ZipFile(small, "a") as archive:
        archive.writestr("assets/layers/functional/../../../x", "y")
    with pytest.raises(UnsafeError, match="lies outside its archive"):
        cut(small)


def test_a_compressed_archive_is_cut_as_a_stored_one_is(small: Path) -> None:
    right = cut(small).read_bytes()
    small.with_name("cut.keras").unlink()
    repacked(small, lambda name, content: content, zipfile.ZIP_DEFLATED)
    assert cut(small).read_bytes() == right


def test_a_variable_that_the_file_lacks_is_named(small: Path, tmp_path: Path) -> None:
    def lose(file: h5py.File) -> None:
        del file["layers/functional/layers/dense/vars/1"]

    reweighed(small, lose, tmp_path)
    with pytest.raises(ExtractError, match="`tower/hidden` needs its `bias`, which the file lacks, at"):
        cut(small)


def test_variables_in_chunks_are_refused(small: Path, tmp_path: Path) -> None:
    def chunk(file: h5py.File) -> None:
        values = file["layers/functional/layers/dense/vars/0"][()]
        del file["layers/functional/layers/dense/vars/0"]
        file.create_dataset("layers/functional/layers/dense/vars/0", data=values, compression="gzip")

    reweighed(small, chunk, tmp_path)
    with pytest.raises(ExtractError, match="is not stored in one piece") as caught:
        cut(small)
    assert "--with-keras" in caught.value.hint


def test_files_of_versions_it_was_not_tested_on_are_refused(small: Path) -> None:
    for version, what in (("3.99.0", "written by Keras 3.99"), (None, "no known version")):
        repacked(
            small,
            lambda name, content, version=version: (  # type: ignore[misc]
                json.dumps({"keras_version": version}).encode() if name == "metadata.json" else content
            ),
        )
        with pytest.raises(ExtractError, match=what) as caught:
            cut(small)
        assert "--with-keras" in caught.value.hint


def test_a_file_without_weights_is_refused(small: Path) -> None:
    repacked(small, lambda name, content: None if name.endswith(".h5") else content)
    with pytest.raises(ExtractError, match=r"holds no `model.weights.h5`"):
        cut(small)


def test_a_target_that_cannot_be_written_is_named(small: Path, tmp_path: Path) -> None:
    with pytest.raises(KGraphError, match="cannot be written") as caught:
        extract_file(small, tmp_path / "none" / "cut.keras", "tower")
    assert "make the folder" in caught.value.hint
    with pytest.raises(KGraphError, match="cannot be written"):
        extract_file(small, Path("/proc/cut.keras"), "tower")


def test_arrays_without_elements_and_scalars_travel(tmp_path: Path) -> None:
    from kgraph.extraction.hdf5_writer import file_parts, lay_out
    from kgraph.sources.containers.hdf5_box import whole_file
    from kgraph.sources.containers.hdf5_headers import read_groups

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["g/empty"], file["g/scalar"], file["g/many"] = np.zeros((0, 3)), np.float32(2), np.arange(9_999)
        file["g/many"].attrs["dtype"] = "bfloat16"
        file["g"].attrs["name"] = "n"
    with open(tmp_path / "a.h5", "rb") as source:
        held = read_groups(whole_file(source), "a").groups["g"]
        layout = lay_out(whole_file(source), [(held, "g", "h/i")], "a")
        (tmp_path / "b.h5").write_bytes(b"".join(map(bytes, file_parts(layout, source, "a"))))
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["h/i/empty"].shape == (0, 3)
        assert file["h/i/scalar"][()] == 2
        assert (file["h/i/many"][()] == np.arange(9_999)).all()
        assert dict(file["h/i/many"].attrs) == {"dtype": "bfloat16"}
        assert dict(file["h/i"].attrs) == {"name": "n"}


def test_an_asset_whose_name_is_two_is_damaged(tmp_path: Path) -> None:
    import keras

    x, words = keras.Input((1,), dtype="string"), keras.layers.StringLookup(name="words")
    words.adapt(np.array([["a"], ["b"]]))
    keras.Model(x, words(x)).save(tmp_path / "m.keras")
    data = (tmp_path / "m.keras").read_bytes()
    (tmp_path / "m.keras").write_bytes(data.replace(b"vocabulary.txt", b"vocabulary.tx_", 1))
    with pytest.raises(ConfigError, match=r"asset .* is damaged"):
        extract_file(tmp_path / "m.keras", tmp_path / "cut.keras", "words")
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_the_first_layer_of_a_sequential_never_built_cannot_be_cut_out(tmp_path: Path) -> None:
    """A changed file had it: a wrapper stood around the InputLayer of a nested Sequential."""
    first = layer("first", "TimeDistributed", layer=X)
    line = layer("line", "Sequential", ("x", 0), layers=[first, layer("second", "ReLU")])
    source = keras_file(tmp_path, model("m", [X, line], [("line", 0)]))
    target = tmp_path / "cut.keras"
    with pytest.raises(ExtractError, match="`first` begins `line`, which was never built"):
        extract_file(source, target, ["line/first"])
    assert not target.exists()


def test_a_nested_model_of_a_module_of_operations_is_cut_as_a_model(tmp_path: Path) -> None:
    """A changed file had it: its layers were in the graph, and not among those that have weights."""
    ends = [("a", 0), ("b", 0)]
    inside = model("inside", [X, layer("a", "ReLU", ("x", 0)), layer("b", "ReLU", ("a", 0))], ends, ("x", 0))
    inside["module"] = "keras.src.ops.numpy"
    source = keras_file(tmp_path, model("m", [X, inside], [("inside", 1)]))
    extract_file(source, tmp_path / "cut.keras", "inside/a")
    assert read(tmp_path / "cut.keras") == renumber(plan(read(source), "inside/a"))
