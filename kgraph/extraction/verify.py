"""A submodel's file beside its source: both loaded by Keras, compared bit for bit on random inputs.

Edge module: starts a process for Keras, `comparison.py`, so that what files hold stays out of the caller's.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kgraph
from kgraph.errors import KGraphError
from kgraph.extraction.plan import Queries
from kgraph.sources.model_file import ModelFile

# The child finds this very kgraph, and nothing in the current folder (`-P`).
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); import kgraph; del sys.path[0]\n"
    "from kgraph.extraction.comparison import main; main()"
)


@dataclass(frozen=True)
class Verification:
    """What was compared: the keys of the outputs, and those of them that differ in any bit."""

    outputs: tuple[str, ...]
    different: tuple[str, ...]


def verify(
    source: ModelFile,
    submodel: Path,
    layers: Queries,
    inputs: Queries | None = None,
    *,
    tail: Path | None = None,
    unsafe: bool = False,
    imports: Sequence[str] = (),
) -> Verification:
    """Which outputs of the submodel's file equal those that `kgraph.extract` makes of the loaded source.

    With `tail`, also which outputs that file's model makes of the submodel's equal the whole model's; their
    keys begin with `tail: `. The inputs are random, and such as their readers take, with `training=False`;
    all models begin in the states in which they were loaded. Files of Keras 2 are loaded with tf_keras.
    `imports`: modules and files of Python that define classes of the model, imported there alone. Raises
    `ConfigError` if the source is not what was cut, `KGraphError` if Keras cannot load or run one.
    """
    source.check_unchanged()
    files = {"source": source.path, "submodel": submodel} | ({"tail": tail} if tail else {})
    request = {
        "files": {what: str(path) for what, path in files.items()},
        **_request(layers, inputs, unsafe, imports),
        "converted": False,
        "library": "tf_keras" if () < source.version < (3,) else "keras",
    }
    answer = _answer(request, submodel)
    return Verification(tuple(answer["outputs"]), tuple(answer["different"]))


@dataclass(frozen=True)
class Agreement:
    """How far each output of a converted model is from its source's.

    Of each: its place in the structure of outputs, the largest difference, and the largest value;
    `library` made the source's.
    """

    library: str
    outputs: tuple[tuple[str, float, float], ...]

    @property
    def absolute(self) -> float:
        """The largest difference of all."""
        return max((apart for _, apart, _ in self.outputs), default=0.0)

    @property
    def relative(self) -> float:
        """The largest difference of an output, of its largest value."""
        return max((apart / (largest or 1.0) for _, apart, largest in self.outputs), default=0.0)


def verify_conversion(
    source: ModelFile,
    new: Path,
    layers: Queries | None = None,
    inputs: Queries | None = None,
    *,
    tail: Path | None = None,
    unsafe: bool = False,
    imports: Sequence[str] = (),
) -> Agreement:
    """How far the model of a converted file is from its source, on random inputs, with `training=False`.

    With `layers`, and maybe `inputs`, the file is that of a cut, `tail` that of the rest, as for `verify`.
    Files of Keras 1 and 2 are loaded with tf_keras if it is installed, others with Keras; the result with
    Keras. Raises as `verify`, and `KGraphError` for a source that no Keras loads with its weights.
    """
    source.check_unchanged()
    if source.format == "tensorflow.js" or (source.weights is not None and source.format != "json"):
        raise KGraphError(
            f"`{source.path}` is no file that Keras could load with its weights", hint="leave `--verify` away"
        )
    files = {"source": str(source.path), "submodel": str(new)} | ({"tail": str(tail)} if tail else {})
    weights = None if source.weights is None else str(source.weights)
    request = {"files": files, "weights": weights, "converted": True}
    answer = _answer(request | _request(layers, inputs, unsafe, imports), new)
    return Agreement(answer["library"], tuple((str(p), float(d), float(m)) for p, d, m in answer["outputs"]))


def _request(
    layers: Queries | None, inputs: Queries | None, unsafe: bool, imports: Sequence[str]
) -> dict[str, Any]:
    return {
        "layers": layers if layers is None else _query_texts(layers),
        "inputs": inputs if inputs is None else _query_texts(inputs),
        "unsafe": unsafe,
        "imports": list(imports),
    }


def _answer(request: Mapping[str, Any], written: Path) -> dict[str, Any]:
    """What the program that compares answers. Raises `KGraphError` where it cannot."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(Path(kgraph.__file__).parents[1])],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    answer: dict[str, Any] = (
        json.loads(done.stdout) if done.returncode == 0 and done.stdout else explain_death(done)
    )
    if "error" in answer:
        raise KGraphError(
            f"`{written}` is written but could not be compared: {answer['error']}", hint=answer["hint"]
        )
    return answer


def _query_texts(layers: Queries) -> Any:
    if isinstance(layers, Mapping):
        return {key: str(query) for key, query in layers.items()}
    return [str(query) for query in layers] if isinstance(layers, list | tuple) else str(layers)


def explain_death(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Why the program gave no answer."""
    if done.returncode == -signal.SIGKILL:
        return {
            "error": "the system ended Keras, as it does when memory runs out",
            "hint": "compare where there is more memory",
        }
    last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    return {"error": f"the program that compares has failed ({last[:200]})", "hint": ""}
