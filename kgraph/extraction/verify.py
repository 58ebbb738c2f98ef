"""A submodel's file beside its source: both loaded by Keras, compared bit for bit on random inputs.

Keras runs in a process of its own, this module as a program: what files hold stays out of the caller's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extraction.plan import Queries
from kgraph.sources.model_file import ModelFile

BATCH = 2
SIZES = (16, 64, 256)  # tried in turn for free dimensions: a deep network may need large pictures


@dataclass(frozen=True)
class Verification:
    """What was compared: the keys of the outputs, and those of them that differ in any bit."""

    outputs: tuple[str, ...]
    different: tuple[str, ...]


def verify(
    source: ModelFile,
    submodel: Path,
    queries: Queries,
    inputs: Queries | None = None,
    *,
    tail: Path | None = None,
    unsafe: bool = False,
) -> Verification:
    """Which outputs of the submodel's file equal those that `kgraph.extract` makes of the loaded source.

    With `tail`, also which outputs that file's model makes of the submodel's equal the whole model's; their
    keys begin with `tail: `. The inputs are random and fit the input specs (whole numbers are 0 and 1, so
    that every Embedding has them), a batch of 2, with `training=False`. Raises `ConfigError` if the
    source is not what was cut, `KGraphError` if Keras cannot load or run one.
    """
    source.check_unchanged()
    files = {"source": source.path, "submodel": submodel} | ({"tail": tail} if tail else {})
    request = {
        "files": {what: str(path) for what, path in files.items()},
        "queries": _query_texts(queries),
        "inputs": inputs if inputs is None else _query_texts(inputs),
        "unsafe": unsafe,
    }
    done = subprocess.run(
        [sys.executable, "-m", "kgraph.extraction.verify"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    answer = json.loads(lines[-1]) if done.returncode == 0 and lines else {"error": done.stderr[-300:]}
    if "error" in answer:
        raise KGraphError(
            f"`{submodel}` is written but could not be compared: {answer['error']}",
            hint="a file with custom classes can only be loaded where their code is imported, one with code "
            "in it (Lambda layers) only with `--unsafe`",
        )
    return Verification(tuple(answer["outputs"]), tuple(answer["different"]))


def _query_texts(queries: Queries) -> Any:
    if isinstance(queries, Mapping):
        return {key: str(query) for key, query in queries.items()}
    listed = queries if isinstance(queries, list | tuple) else [queries]
    return [str(query) for query in listed]


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    import keras

    from kgraph.extraction.live import extract

    safe = not request["unsafe"]
    models = {}
    for what, path in request["files"].items():
        try:
            models[what] = keras.models.load_model(path, compile=False, safe_mode=safe)
        except Exception as error:
            return {"error": f"Keras cannot load the {what} ({type(error).__name__}: {_first_line(error)})"}
    source, submodel, tail = models["source"], models["submodel"], models.get("tail")
    cut = extract(source, request["queries"], inputs=request["inputs"])
    given = source.inputs if tail else cut.inputs
    for size in SIZES:
        data = {t._keras_history[0].name: _random_input(t, seed, size) for seed, t in enumerate(given)}
        try:
            expected, made = _run(cut, data), _run(submodel, data)
            if tail:
                expected |= _tail_outputs(_run(source, data))
                made |= _tail_outputs(tail(made, training=False))
        except Exception as error:
            failure = {"error": f"Keras cannot run it on random inputs ({_first_line(error)})"}
            continue
        different = [key for key in expected if not _equal(expected[key], made[key])]
        return {"outputs": list(expected), "different": different}
    return failure


def _tail_outputs(outputs: Any) -> dict[str, Any]:
    """The outputs of a whole model under names of their own."""
    import keras

    return {
        "tail: " + ".".join(map(str, path)): value for path, value in keras.tree.flatten_with_path(outputs)
    }


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


def _random_input(tensor: Any, seed: int, size: int) -> Any:
    """Random data that fits a symbolic input."""
    import numpy as np

    random = np.random.default_rng(seed)
    shape = [BATCH if i == 0 else size if d is None else d for i, d in enumerate(tensor.shape)]
    if tensor.dtype == "string":
        return np.array(["a", "b", "c"])[random.integers(0, 3, shape)].astype(object)
    if "int" in tensor.dtype or tensor.dtype == "bool":
        return random.integers(0, 2, shape).astype(tensor.dtype)
    return random.standard_normal(shape)


def _run(model: Any, data: Mapping[str, Any]) -> Any:
    import keras

    given = [keras.ops.convert_to_tensor(data[t._keras_history[0].name], dtype=t.dtype) for t in model.inputs]
    return model(keras.tree.pack_sequence_as(model.input, given), training=False)


def _equal(a: Any, b: Any) -> bool:
    import numpy as np

    left, right = np.asarray(a), np.asarray(b)
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return bool((left == right).all()) if left.dtype == object else left.tobytes() == right.tobytes()


if __name__ == "__main__":
    print(json.dumps(_answer(json.load(sys.stdin))))
