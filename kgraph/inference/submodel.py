"""A model and queries → the submodel that makes those tensors, ready to be called on arrays.

Edge module: imports Keras and its backend, in the functions that need them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kgraph.errors import KGraphError, ReadError
from kgraph.extraction.file import extract_file, open_cuttable
from kgraph.extraction.keras_loading import cause_of, import_code, load_live_model
from kgraph.extraction.plan import Queries, plan
from kgraph.graph import Graph
from kgraph.graph_json import to_json
from kgraph.inference.rows import Arrays, Input
from kgraph.sources.live import is_model, read_structure
from kgraph.sources.model_file import open_model_file
from kgraph.structures import split_slot

POOLS = ("avg", "max", "flatten")


@dataclass(frozen=True)
class Submodel:
    """What is run: its inputs, the keys of what it makes, in query order, its digest, and the model itself.

    `batch` is how many rows it must be given at once; None where any number will do. `outputs` are the
    tensors' addresses, and shapes without the batch, by key.
    """

    inputs: Sequence[Input]
    outputs: Mapping[str, tuple[str, tuple[int | None, ...]]]
    digest: str
    batch: int | None
    model: Any

    def caller(self) -> Callable[[Arrays], dict[str, Any]]:
        """What makes the arrays of all outputs, by key, from those of a batch."""
        import keras

        call = _tensorflow_call(self) if keras.backend.backend() == "tensorflow" else self._predict
        dtypes = [None if one.dtype in ("string", "bfloat16") else one.dtype for one in self.inputs]

        def run(arrays: Arrays) -> dict[str, Any]:
            count = len(next(iter(arrays.values())))
            given = [
                arrays[one.name] if dtype is None else np.asarray(arrays[one.name], dtype)
                for one, dtype in zip(self.inputs, dtypes, strict=True)
            ]
            if (
                self.batch is not None and count < self.batch
            ):  # the last row stands for those that are wanting
                given = [np.concatenate([x, np.repeat(x[-1:], self.batch - count, axis=0)]) for x in given]
            try:
                made = call(given)
            except Exception as error:  # layers may raise anything
                cause = cause_of(error)
                raise KGraphError(f"the submodel cannot be run: {cause.what}", hint=cause.hint) from error
            return {key: _plain(made[key])[:count] for key in self.outputs}

        return run

    def _predict(self, given: Sequence[Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.model.predict_on_batch(list(given))
        return made


def load_submodel(
    model: Any,
    layers: Queries,
    *,
    input_shapes: Mapping[str, Sequence[int | None]],
    pool: str | None,
    unsafe: bool = False,
    imports: Sequence[str] = (),
) -> Submodel:
    """The submodel of a live model, or of a file: then only what is cut from it is loaded.

    `input_shapes` binds free sizes; `pool` reduces each tensor of more than two axes to one value a channel,
    or to a line. Raises what `kgraph.extract` and `kgraph.extract_file` raise, and `KGraphError` for an input
    of strings where Keras's backend is not TensorFlow.
    """
    queries: Any = layers if isinstance(layers, Mapping | list | tuple) else [layers]
    if isinstance(model, str | os.PathLike):
        graph, live = _cut_file(Path(model), queries, unsafe, imports)
    elif is_model(model):
        from kgraph.extraction.live import extract

        graph, live = plan(read_structure(model), queries), extract(model, queries)
    else:
        raise ReadError(
            f"a `{type(model).__name__}` is neither a path nor a live Keras 3 model",
            hint="a graph holds no weights",
        )
    import keras

    inputs = [_input(tensor) for tensor in live.inputs]
    _check_strings(inputs)
    tensors = {split_slot(slot)[0]: str(tensor) for slot, tensor in graph.outputs.items()}
    made = live.output if isinstance(live.output, Mapping) else dict(zip(tensors, [live.output], strict=True))
    runs = keras.Model(list(live.inputs), {key: _pool(made[key], pool) for key in tensors}, name=live.name)
    batches = {tensor.shape[0] for tensor in live.inputs} - {None}
    return Submodel(
        _bind(inputs, input_shapes),
        {key: (address, tuple(runs.output[key].shape[1:])) for key, address in tensors.items()},
        _digest(graph, live),
        batches.pop() if batches else None,
        runs,
    )


def _cut_file(path: Path, queries: Queries, unsafe: bool, imports: Sequence[str]) -> tuple[Graph, Any]:
    """The plan of a cut of a file, and the live model of what is cut from it."""
    source = open_cuttable(path)
    graph = plan(source.file.graph, queries)
    import_code(imports)
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / f"submodel{source.suffix}"
        extract_file(path, cut, queries)
        try:
            return graph, load_live_model(open_model_file(cut), unsafe=unsafe)
        except ReadError as error:
            hint = error.hint if source.file.version[:1] in ((), (3,)) else ""
            raise ReadError(str(error).replace(str(cut), str(path)), hint=hint) from error


def _input(tensor: Any) -> Input:
    return Input(tensor.name, tuple(tensor.shape[1:]), str(getattr(tensor.dtype, "name", tensor.dtype)))


def _check_strings(inputs: Sequence[Input]) -> None:
    import keras

    backend = keras.backend.backend()
    names = ", ".join(f"`{one.name}`" for one in inputs if one.dtype == "string")
    if names and backend != "tensorflow":
        raise KGraphError(
            f"{names} takes strings, which Keras computes with TensorFlow alone, and not with {backend}",
            hint="set KERAS_BACKEND=tensorflow",
        )


def _bind(inputs: Sequence[Input], shapes: Mapping[str, Sequence[int | None]]) -> list[Input]:
    """The inputs with the sizes that are given for them; `KGraphError` where these do not fit."""
    bound, left = [], dict(shapes)
    for one in inputs:
        shape = left.pop(one.name, left.pop("", None) if len(inputs) == 1 else None)
        if shape is None:
            bound.append(one)
            continue
        if len(shape) != len(one.shape) or any(
            old is not None and new != old for old, new in zip(one.shape, shape, strict=True)
        ):
            sizes = "x".join("?" if size is None else str(size) for size in shape)
            raise KGraphError(f"the input `{one.name}` takes {one} a row, and is to be {sizes}")
        bound.append(replace(one, shape=tuple(shape)))
    if left:
        names = ", ".join(f"`{one.name}`" for one in inputs)
        unknown = ", ".join(f"`{name}`" for name in left)
        raise KGraphError(f"{unknown} is no input of the submodel, which has {names}")
    return bound


def _pool(tensor: Any, pool: str | None) -> Any:
    """A tensor with the axes between the first and the channels reduced; one without such as it is."""
    import keras

    if pool is None or len(tensor.shape) < 3:
        return tensor
    if pool == "flatten":
        return keras.layers.Flatten()(tensor)
    first = keras.config.image_data_format() == "channels_first" and len(tensor.shape) > 3
    axes = tuple(range(2, len(tensor.shape)) if first else range(1, len(tensor.shape) - 1))
    return (keras.ops.mean if pool == "avg" else keras.ops.max)(tensor, axis=axes)


def _digest(graph: Graph, model: Any) -> str:
    """What tells a submodel from any other, in hexadecimal: its graph, with configs, and its weights."""
    digest = hashlib.sha256(
        to_json(replace(graph, source=None, format=None, keras_version=None, compile_config=None)).encode()
    )
    for variable in model.weights:
        values = np.ascontiguousarray(_plain(variable.numpy()))
        digest.update(f"{values.dtype}{values.shape}".encode())
        digest.update(values.view(np.uint8).data if values.size and values.ndim else values.tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """A tensor as an array of a dtype that NumPy itself has; bfloat16 becomes float32, which holds it."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array = np.asarray(value)
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def _tensorflow_call(submodel: Submodel) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """A `tf.function` of the model, traced once for all sizes of batches; compiled as `predict` would.

    Measured: bit-equal to `predict` of Keras 3.15, which traces per size.
    """
    import tensorflow as tf

    model = submodel.model
    signature = [tf.TensorSpec((submodel.batch, *one.shape), one.dtype) for one in submodel.inputs]

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[signature], autograph=False, jit_compile=model.jit_compile or None
    )
    def call(given: Any) -> Any:
        return model(given, training=False)

    return lambda given: call(
        [tf.convert_to_tensor(x, s.dtype) for x, s in zip(given, signature, strict=True)]
    )
