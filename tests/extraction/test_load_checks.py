"""Code, pickles and files of elsewhere are refused before Keras is let at a file."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.hostile_files import ODD_LAYERS, function, layer, model_of, write_model
from helpers.places import DEMO

from kgraph.errors import ReadError
from kgraph.extraction.keras_loading import load_live_model
from kgraph.extraction.load_checks import ALWAYS, load_refusal
from kgraph.sources.model_file import open_model_file

REFUSED = [name for name, (_, kind, _) in ODD_LAYERS.items() if kind in ALWAYS]


class Evil:
    """A custom object, as a program may have registered it."""


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_runs_or_lies_elsewhere_is_refused_with_its_place(
    name: str, suffix: str, tmp_path: Path
) -> None:
    odd, _, inside = ODD_LAYERS[name]
    file = open_model_file(write_model(tmp_path / f"m{suffix}", model_of(odd)))
    with pytest.raises(ReadError, match="Keras may not load") as caught:
        load_live_model(file)
    assert f"at `config.layers[1]{inside}`" in str(caught.value)
    assert caught.value.hint.startswith("`--unsafe`")


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_the_demo_may_be_loaded(library: str) -> None:
    assert load_refusal(open_model_file(DEMO), library, {}) is None


@pytest.mark.parametrize("what", ["keras.datasets.mnist.load_data", "keras.utils.plot_model"])
def test_functions_that_keras_would_call_are_refused(what: str, tmp_path: Path) -> None:
    odd = layer("Lambda", function=function(*what.rsplit(".", 1)))
    file = open_model_file(write_model(tmp_path / "m.keras", model_of(odd)))
    assert f"({what})" in (load_refusal(file, "keras", {}) or "")


@pytest.mark.parametrize("name", REFUSED)
def test_no_custom_object_lets_through_what_runs(name: str, tmp_path: Path) -> None:
    """One that is of no module, as a module itself, has the module that code in a file has: none."""
    file = open_model_file(write_model(tmp_path / "m.keras", model_of(ODD_LAYERS[name][0])))
    known = {"math": math, "alpha": None, "keras": type("Own", (), {"__module__": "keras"})}
    assert load_refusal(file, "keras", known) is not None


def test_packages_that_keras_imports_are_refused_unless_they_are_imported(tmp_path: Path) -> None:
    file = open_model_file(write_model(tmp_path / "m.keras", model_of(layer("Own", module="keras_hub.own"))))
    assert "(keras_hub.own.Own)" in (load_refusal(file, "keras", {}) or "")
    other = type("Other", (), {"__module__": "keras_hub.src"})
    assert load_refusal(file, "keras", {"keras_hub>Other": other}) is None


def test_classes_of_others_are_left_to_keras_3_which_imports_none(tmp_path: Path) -> None:
    file = open_model_file(write_model(tmp_path / "m.keras", model_of(layer("Evil", module="evil_module"))))
    assert load_refusal(file, "keras", {}) is None
    with pytest.raises(ReadError, match="it does not know `Evil`") as caught:
        load_live_model(file)
    assert "--import" in caught.value.hint


def test_classes_of_others_are_refused_for_keras_2_which_would_import_them(tmp_path: Path) -> None:
    file = open_model_file(write_model(tmp_path / "m.keras", model_of(layer("Evil", module="evil_module"))))
    assert "(evil_module.Evil)" in (load_refusal(file, "tf_keras", {}) or "")
    assert load_refusal(file, "tf_keras", {"own>Evil": Evil}) is None


def test_a_file_that_cannot_be_looked_at_whole_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.keras", model_of(None), weights=b"\x89HDF\r\n\x1a\n")
    assert "not all of it can be looked at" in (load_refusal(open_model_file(path), "keras", {}) or "")


def test_a_refusal_does_not_wait_for_keras(tmp_path: Path) -> None:
    write_model(tmp_path / "m.h5", model_of(ODD_LAYERS["a lambda"][0]))
    code = (
        "import sys; from pathlib import Path\n"
        "from kgraph.extraction.keras_loading import load_live_model\n"
        "from kgraph.sources.model_file import open_model_file\n"
        "try:\n    load_live_model(open_model_file(Path('m.h5')))\n"
        "except Exception as error:\n    print(type(error).__name__, 'keras' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ReadError False\n"
