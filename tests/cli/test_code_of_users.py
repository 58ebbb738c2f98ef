"""`--import`: classes of users are known where Keras loads a model; the current folder is searched last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import failed, run
from helpers.places import DEMO

CODE = """
import keras
{register}
class Halve(keras.layers.Layer):
    def call(self, x):
        return x / 2
"""
BUILD = """
import keras
from {module} import Halve
x = keras.Input((4,), name="x")
model = keras.Model(x, keras.layers.Dense(2, name="end")(Halve(name="half")(x)), name="own")
for suffix in (".keras", ".h5"):
    model.save("model" + suffix)
"""
WHOLE = """
import keras
class Whole(keras.Model):
    def __init__(self, **kwargs):
        x = keras.Input((3,), name="x")
        super().__init__(inputs=x, outputs=keras.layers.Dense(1, name="end")(x))
if __name__ == "__main__":
    for suffix in (".keras", ".h5"):
        Whole().save("whole" + suffix)
"""
STRANGER = "open('RAN', 'w')\nraise ImportError('a stranger')\n"
REGISTER = "@keras.saving.register_keras_serializable('own')"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models of own classes, registered and not, and their code."""
    folder = tmp_path_factory.mktemp("own")
    for module, register in (("registered", REGISTER), ("plain", "")):
        (folder / module).mkdir()
        (folder / module / f"{module}.py").write_text(CODE.format(register=register))
        program = BUILD.format(module=module)
        subprocess.run([sys.executable, "-c", program], cwd=folder / module, check=True, capture_output=True)
    (folder / "registered" / "whole.py").write_text(WHOLE)
    subprocess.run([sys.executable, "whole.py"], cwd=folder / "registered", check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("named", "suffix"),
    [("registered", ".keras"), ("registered.py", ".h5"), ("plain.py", ".keras"), ("plain", ".h5")],
)
def test_a_cut_with_custom_classes_is_verified(
    named: str, suffix: str, made: Path, environment: dict[str, str]
) -> None:
    said = run(
        "extract", f"model{suffix}", "--layers", "half", "-o", f"cut{suffix}", "--tail", f"end{suffix}",
        "--verify", "--import", named, cwd=made / named.removesuffix(".py"), environment=environment,
    )  # fmt: skip
    assert said.endswith("verified: 2 outputs equal to the last bit\n")


@pytest.mark.slow
def test_an_unknown_class_is_named_with_the_option_that_helps(
    made: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    source = str(made / "registered" / "model.keras")
    for options in (["--verify"], ["--with-keras", "--force"]):
        said = failed(
            "extract", source, "--layers", "half", "-o", "cut.keras", *options,
            cwd=tmp_path, environment=environment,
        )  # fmt: skip
        assert "it does not know `Halve`\n" in said
        assert said.endswith("hint: `--import MODULE` or `--import FILE.py` names the code that defines it\n")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_functional_model_of_an_own_class_is_cut_once_its_code_is_imported(
    suffix: str, made: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    source = str(made / "registered" / f"whole{suffix}")
    said = failed(
        "extract", source, "--layers", "end", "-o", f"cut{suffix}", cwd=tmp_path, environment=environment
    )
    assert "holds a `Whole`, which is not a functional model" in said
    assert "`--with-keras --import FILE.py`" in said
    said = run(
        "extract", source, "--layers", "end", "-o", "cut.keras", "--with-keras", "--verify",
        "--import", str(made / "registered" / "whole.py"), cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("wrote cut.keras\nverified: 1 output equal to the last bit\n")


@pytest.mark.slow
def test_a_class_that_makes_its_layers_itself_is_seen_once_its_code_is_imported(
    made: Path, environment: dict[str, str]
) -> None:
    cwd, how = made / "registered", ("--with-keras", "--import", "whole.py")
    assert "end   Dense" in run("show", "whole.keras", *how, cwd=cwd, environment=environment)
    assert "end#0" in run("select", "whole.keras", "@Dense", *how, cwd=cwd, environment=environment)
    assert "end" in run("costs", "whole.keras", *how, cwd=cwd, environment=environment)
    said = failed("show", "whole.keras", "--with-keras", cwd=cwd, environment=environment)
    assert "it does not know `Whole`" in said


@pytest.mark.slow
def test_code_that_loads_a_model_knows_what_was_imported(
    made: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    source = str(made / "plain" / "model.keras")
    load = f"import keras\ndef load():\n    return keras.models.load_model({source!r})\n"
    (tmp_path / "mine.py").write_text(load)
    code = str(made / "plain" / "plain.py")
    assert "Halve" in failed("show", "mine:load", cwd=tmp_path, environment=environment)
    run("shared", "mine:load", "--import", code, cwd=tmp_path, environment=environment)


@pytest.mark.parametrize(
    "words", [["show"], ["shared"], ["select", "both"], ["extract", "--layers", "both", "-o", "cut.keras"]]
)
def test_a_file_is_read_without_the_code_and_a_note_says_so(
    words: list[str], tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "code.py").write_text(STRANGER)
    verb, *rest = words
    command = [sys.executable, "-m", "kgraph", verb, str(DEMO), *rest, "--import", "code.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == (
        "note: `--import` is not needed here: a file is read without the code of its classes\n"
    )
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("nowhere.py", "FileNotFoundError: there is no such file"),
        ("broken.py", "ValueError: no data"),
    ],
)
def test_code_that_cannot_be_imported_is_named_with_the_reason(
    named: str, why: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('no data')\n")
    said = failed(
        "show", "models.plain:branches_and_skip", "--import", named, cwd=tmp_path, environment=environment
    )
    assert f"error: the code `{named}` cannot be imported ({why})" in said


STRANGERS = ("numpy", "keras", "tensorflow", "json", "click", "kgraph", "h5py", "__future__")


def test_nothing_of_the_current_folder_is_imported(tmp_path: Path, environment: dict[str, str]) -> None:
    for name in STRANGERS:
        if name != "kgraph":  # `python -m kgraph` is asked for by that name
            (tmp_path / f"{name}.py").write_text(STRANGER)
    said = run(
        "extract", str(DEMO), "--layers", "both", "-o", "cut.keras", "--verify",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("verified: 1 output equal to the last bit\n")
    assert not (tmp_path / "RAN").exists()


@pytest.mark.slow
def test_the_current_folder_is_searched_last_for_what_is_imported(
    made: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    for name in STRANGERS:
        if name != "kgraph":
            (tmp_path / f"{name}.py").write_text(STRANGER)
    (tmp_path / "mine.py").write_text(
        (made / "registered" / "registered.py").read_text() + "import json, h5py\n"
    )
    said = run(
        "extract", str(made / "registered" / "model.keras"), "--layers", "half", "-o", "cut.keras",
        "--verify", "--import", "mine", cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("verified: 1 output equal to the last bit\n")
    assert not (tmp_path / "RAN").exists()


@pytest.mark.slow
def test_code_that_prints_does_not_disturb_the_comparison(
    made: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    code = (made / "registered" / "registered.py").read_text()
    (tmp_path / "loud.py").write_text(code + "print('hello', flush=True)\n")
    said = run(
        "extract", str(made / "registered" / "model.keras"), "--layers", "half", "-o", "cut.keras",
        "--verify", "--import", "loud.py", cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("wrote cut.keras\nverified: 1 output equal to the last bit\n")
