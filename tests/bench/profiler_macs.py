"""The multiply-accumulates that TensorFlow's profiler finds in `keras.applications`, one line a model.

python tests/bench/profiler_macs.py [--own] [NAME...]   with `--own` at the model's own size alone: name,
size, multiply-accumulates of Conv2D, Depthwise and MatMul

Sizes are the model's own (224 where it has none), and 320 without the top. The figures are half of the
profiler's "float operations" of those three operations for a batch of one, TensorFlow 2.16-2.21. A grouped
convolution runs in a function that the profiler does not enter, so what it tells of ConvNeXt lacks the
depthwise 7×7. `tests/golden/profiler_macs.tsv` is what this prints for all.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
FREE, OTHER = 224, 320  # for models of free sizes; the second size


def architectures() -> list[str]:
    """The names of all model functions."""
    import keras

    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return [name for name, function in found if "weights" in inspect.signature(function).parameters]


def build(name: str, size: int | None) -> Any:
    """The architecture with its top; or for a size, without it and for free sizes."""
    import keras

    keras.utils.clear_session()
    more = {} if size is None else {"include_top": False, "input_shape": (None, None, 3)}
    return getattr(keras.applications, name)(weights=None, **more)


def input_size(model: Any, size: int | None) -> int:
    """The height and width that a model is called with."""
    return size or model.inputs[0].shape[1] or FREE


def profile(model: Any, *shapes: tuple[int, ...]) -> dict[str, int]:
    """The multiply-accumulates of a call on inputs of these shapes, batch included, by the kind of
    operation.
    """
    import tensorflow as tf

    specs = [tf.TensorSpec(shape, given.dtype) for shape, given in zip(shapes, model.inputs, strict=True)]
    function = tf.function(lambda *x: model(list(x) if len(x) > 1 else x[0], training=False))
    traced = function.get_concrete_function(*specs)
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    found = tf.compat.v1.profiler.profile(graph=traced.graph, cmd="op", options=options)
    nodes, by_kind = list(found.children), dict[str, int]()
    while nodes:
        node = nodes.pop()
        nodes += node.children
        if node.float_ops:
            by_kind[node.name] = node.float_ops // 2
    return by_kind


def products(model: Any, *shapes: tuple[int, ...]) -> int:
    """The multiply-accumulates that the profiler finds in a call, of the three kinds."""
    return sum(macs for kind, macs in profile(model, *shapes).items() if kind in PRODUCTS)


def figures(name: str, sizes: Sequence[int | None] = (None, OTHER)) -> Iterator[tuple[int, int | None]]:
    """Size and multiply-accumulates, at its own size (None), and at another; None where Keras cannot call
    it so.
    """
    for wanted in sizes:
        model = build(name, wanted)
        size = input_size(model, wanted)
        try:
            yield size, products(model, (1, size, size, 3))
        except ValueError:
            yield size, None


if __name__ == "__main__":
    names = [word for word in sys.argv[1:] if word != "--own"]
    print("model\tsize\tmacs")
    for name in names or architectures():
        for size, macs in figures(name, (None,) if "--own" in sys.argv else (None, OTHER)):
            print(name, size, "-" if macs is None else macs, sep="\t", flush=True)
