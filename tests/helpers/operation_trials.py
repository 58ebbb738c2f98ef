"""Calls of Keras's own operations to try rules with: by class, what makes each call's outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from helpers.call_trials import Make, Sizes, given, on


def operation_classes() -> dict[str, Any]:
    """Every class of operation of Keras, by name."""
    import importlib
    import inspect
    import pkgutil

    import keras.src.ops as folder
    from keras.src.ops.operation import Operation

    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        if not module.name.endswith("test"):
            there = vars(importlib.import_module(f"{folder.__name__}.{module.name}")).values()
            classes = [c for c in there if inspect.isclass(c) and issubclass(c, Operation)]
            found.update({c.__name__: c for c in classes if c.__module__.startswith(folder.__name__)})
    return found


def op(name: str, **config: Any) -> Callable[[], Any]:
    return lambda: operation_classes()[name](**config)


def fed(
    name: str, *shapes: Sizes, inputs_dtype: str = "float32", constants: Sequence[Any] = (), **config: Any
) -> Make:
    """A call of an operation with an argument for each input, and constants after them."""

    def make() -> tuple[list[Any], Any]:
        inputs = given(*shapes, dtype=inputs_dtype)
        return inputs, op(name, **config)()(*inputs, *constants)

    return make


def whole(name: str, *shapes: Sizes, **config: Any) -> Make:
    """A call of an operation on inputs whose batch is of size 4, too."""

    def make() -> tuple[list[Any], Any]:
        import keras

        inputs = [keras.Input(batch_shape=shape, name=f"x{i}") for i, shape in enumerate(shapes)]
        return inputs, op(name, **config)()(*inputs)

    return make


NEEDED: dict[str, dict[str, Any]] = {
    "Threshold": {"threshold": 0.1, "default_value": 0.0}, "Roll": {"shift": 2}, "Cast": {"dtype": "float16"},
    "SaturateCast": {"dtype": "int8"}, "Argpartition": {"kth": 1}, "Normalize": {"axis": 1},
    "Flip": {"axis": 1}, "Clip": {"x_min": 0.0, "x_max": 1.0},
}  # fmt: skip


def _elementwise() -> Iterator[tuple[str, Make]]:
    import numpy as np

    from kgraph.transforms.shape_rules import elementwise as table

    others = ["Argsort", "Argpartition", "Cast", "SaturateCast", "Clip", "OnesLike", "ZerosLike", "EmptyLike"]
    needs_arrays = {"LayerNorm": 2, "RMSNorm": 1}
    for name in (*table.ELEMENTS, *table.SAME, *table.TESTS, *others):
        weights = [np.ones(8, "float32")] * needs_arrays.get(name, 0)
        for shape in ((5, 8), (None, 8)):
            yield name, fed(name, shape, constants=weights, **NEEDED.get(name, {}))
        if name not in ("Fliplr", "Flip", "Flipud", "Tril", "Triu", "Normalize"):
            yield name, fed(name, (8,), constants=weights, **NEEDED.get(name, {}))
    yield "FullLike", fed("FullLike", (5, 8), constants=[2.0])
    for name in (*table.PAIRS, *table.COMPARISONS):
        for pair in (((5, 8), (5, 8)), ((5, 1), (1, 8)), ((None, 8), (5, 8)), ((None, 8), (1, 8))):
            yield name, fed(name, *pair)
        if name not in ("Heaviside", "Nextafter", "Hypot"):
            yield name, fed(name, (5, 8), constants=[2])
    for three in (((5, 8), (5, 8), (5, 8)), ((5, 1), (1, 8), (5, 8)), ((None, 8), (5, 8), (5, 8))):
        yield "Where", fed("Where", *three)


def _axis_operations() -> Iterator[tuple[str, Make]]:
    yield from _reductions()
    yield from _moves()
    yield from _joins()


def _reductions() -> Iterator[tuple[str, Make]]:
    from kgraph.transforms.shape_rules import axis_operations as table

    for name in (*table.REDUCTIONS, "All", "Any", "Argmax", "Argmin", "Nanargmax", "Nanargmin"):
        for axis in (None, 1, -1, *([] if "arg" in name.lower() else [(1, 2)])):
            for keepdims in (False, True):
                yield name, fed(name, (5, None, 8), axis=axis, keepdims=keepdims)
    for axis in (None, 1, (1, 2)):
        yield "CountNonzero", fed("CountNonzero", (5, 8), axis=axis)
    for axes in ([1], [0, 1], [-1]):
        for keepdims in (False, True):
            yield "Moments", fed("Moments", (5, 8), axes=axes, keepdims=keepdims)


def _moves() -> Iterator[tuple[str, Make]]:
    places: list[Any] = [0, 1, -1, 3, [1, 2]]
    for axis in places:
        yield "ExpandDims", fed("ExpandDims", (5, 8), axis=axis)
    for axis in (1, -1, (1, 3)):
        yield "Squeeze", fed("Squeeze", (1, None, 1), axis=axis)
    yield "Squeeze", fed("Squeeze", (1, 8))
    for axes in (None, (0, 2, 1), (2, 0, 1)):
        yield "Transpose", fed("Transpose", (5, None), axes=axes)
    yield "Swapaxes", fed("Swapaxes", (5, 8), axis1=1, axis2=-1)
    for source, target in ((1, -1), (-1, 1), ([1, 2], [3, 1])):
        yield "Moveaxis", fed("Moveaxis", (5, 8, 3), source=source, destination=target)
    for shape in ((-1, 40), (-1, 4, 10), (-1,), (4, -1)):
        yield "Reshape", fed("Reshape", (5, 8), newshape=shape)
        yield "Reshape", whole("Reshape", (4, 5, 8), newshape=shape)
    for name in ("Ravel",):
        yield name, fed(name, (5, 8))
        yield name, whole(name, (4, 5, 8))
    for axis in (None, 1, -1, 0):
        yield "Repeat", fed("Repeat", (5, None), repeats=3, axis=axis)
        yield "Repeat", whole("Repeat", (4, 5), repeats=3, axis=axis)
    for times in (2, (1, 2, 3), (2, 1, 1, 3)):
        yield "Tile", fed("Tile", (5, None), repeats=times)
    for widths in (1, (1, 2), ((0, 0), (1, 2), (0, 3))):
        yield "Pad", fed("Pad", (5, None), pad_width=widths)
    yield "BroadcastTo", whole("BroadcastTo", (1, 5), shape=(3, 4, 5))


def _joins() -> Iterator[tuple[str, Make]]:
    for axis in (1, -1):
        yield "Concatenate", on(op("Concatenate", axis=axis), (5, 8), (5, 8))
        yield "Stack", on(op("Stack", axis=axis), (5, 8), (5, 8), (5, 8))
        yield "Take", fed("Take", (5, 8), constants=[[0, 2, 2]], axis=axis)
        yield "Take", fed("Take", (5, 8), constants=[1], axis=axis)
    yield "Stack", on(op("Stack"), (5, None), (5, None))
    yield "Concatenate", on(op("Concatenate", axis=1), (5, 8), (None, 8))
    for places in (2, [1, 3], (2,)):
        yield "Split", fed("Split", (6, 8), indices_or_sections=places, axis=1)
        yield "Split", fed("Split", (None, 8), indices_or_sections=places, axis=-1)
        yield "Split", fed("Split", (None, 8), indices_or_sections=places, axis=1)
    yield "Unstack", fed("Unstack", (5, 8), axis=1)
    yield "Unstack", fed("Unstack", (None, 8), axis=-1)
    yield "Unstack", fed("Unstack", (None, 8), num=3, axis=1)
    for k in (1, 3):
        yield "TopK", fed("TopK", (5, 8), k=k)
    for axis in (-1, 1, 2):
        yield "OneHot", fed("OneHot", (5, None), num_classes=4, axis=axis, dtype="float32")
    for pair in (((5, 8), (8, 3)), ((None, 8), (8, 3)), ((2, 5, 8), (1, 8, 3)), ((2, 5, 8), (8, 3))):
        yield "Matmul", fed("Matmul", *pair)
    for equation in ("abc,acd->abd", "abc,acd->bd", "abc,aec->abe"):
        yield "Einsum", fed("Einsum", (5, 8), ((8, 3) if "acd" in equation else (3, 8)), subscripts=equation)
    yield "DotProductAttention", fed("DotProductAttention", (5, 2, 8), (7, 2, 8), (7, 2, 8))


def _window_operations() -> Iterator[tuple[str, Make]]:
    import numpy as np

    for shape in ((9, 11, 6), (9, None, 6)):
        for name in ("MaxPool", "AveragePool"):
            for config in ({"pool_size": 2}, {"pool_size": (3, 2), "strides": 2, "padding": "same"}):
                yield name, fed(name, shape, data_format="channels_last", **config)
        for config in ({}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}):
            kernel = np.ones((3, 2, 6, 4), "float32")
            yield "Conv", fed("Conv", shape, constants=[kernel], data_format="channels_last", **config)
        yield "Resize", fed("Resize", shape, size=(4, 6))
        for patches in ({}, {"strides": (2, 2), "padding": "same"}, {"dilation_rate": 2, "strides": (1, 1)}):
            yield (
                "ExtractPatches",
                fed("ExtractPatches", shape, size=(3, 2), data_format="channels_last", **patches),
            )
    for matrix in ((4, 4), (3, 4, 4)):
        for name in ("Cholesky", "Inv", "Det", "Slogdet", "Eig", "Eigh"):
            yield name, fed(name, matrix)
    for matrix in ((4, 4), (5, 3), (3, 5)):
        yield "LuFactor", fed("LuFactor", matrix)
        for mode in ("reduced", "complete"):
            yield "Qr", fed("Qr", matrix, mode=mode)
        for full in (True, False):
            for both in (True, False):
                yield "SVD", fed("SVD", matrix, full_matrices=full, compute_uv=both)
    yield "DepthToSpace", fed("DepthToSpace", (4, None, 8), block_size=2)
    yield "SpaceToDepth", fed("SpaceToDepth", (4, None, 8), block_size=2)


def _slices() -> Iterator[tuple[str, Make]]:
    keys: list[Any] = [
        (slice(None), 0), (slice(None), slice(None, None, 2)), (slice(None), slice(1, 4)), (..., -1),
        (..., None),
        (slice(None), None, 2), (slice(None), slice(-3, None)), (0,), 1, (slice(None), ..., slice(0, 3)),
        (slice(None), slice(None, None, -1)), (slice(None), slice(100)),
    ]  # fmt: skip
    for key in keys:
        for shape in ((5, 8), (None, 8)):
            yield "GetItem", fed("GetItem", shape, constants=[key])


def _array_operations() -> Iterator[tuple[str, Make]]:
    import numpy as np

    for axis in (None, 1, -1):
        for name in ("Cumsum", "Cumprod", "Nancumsum", "Nancumprod"):
            yield name, fed(name, (5, None), axis=axis)
            yield name, whole(name, (4, 5), axis=axis)
    for axis in (1, -1):
        yield "Diff", fed("Diff", (5, None), n=2, axis=axis)
        yield "Glu", fed("Glu", (6, 8), axis=axis)
        yield "Glu", fed("Glu", (None, 8), axis=axis)
        for number in (2, 3):
            yield "ArraySplit", fed("ArraySplit", (5, None), indices_or_sections=number, axis=axis)
    for axes in ((0, 1), (1, 2)):
        yield "Rot90", fed("Rot90", (5, 8), k=1, axes=axes)
        yield "Trace", fed("Trace", (5, 8), axis1=axes[0], axis2=axes[1])
    for axis_list in ([1], [1, 2]):
        for keepdims in (False, True):
            yield "Norm", fed("Norm", (5, 8), axis=axis_list, keepdims=keepdims)
    yield "Hstack", on(op("Hstack"), (5, 8), (None, 8))
    yield "Hstack", on(op("Hstack"), (5, 8), (3, 8))
    yield "Vstack", on(op("Vstack"), (5, 8), (5, 8))
    for pair in (((5, 8), (8, 3)), ((None, 8), (8, 3))):
        yield "Dot", fed("Dot", *pair)
    yield "Dot", fed("Dot", (5, 8), constants=[np.ones((8, 3), "float32")])
    yield "Tensordot", fed("Tensordot", (5, 8), constants=[np.ones((8, 3), "float32")], axes=1)
    yield "Tensordot", fed("Tensordot", (None, 8), constants=[np.ones((5, 8, 3), "float32")], axes=2)
    yield "Outer", fed("Outer", (5,), (8,))
    yield "Outer", whole("Outer", (4, 5), (3,))
    yield "Slice", fed("Slice", (5, 8), constants=[[0, 0, 0]], shape=(1, 2, 3))
    yield "SliceUpdate", fed("SliceUpdate", (5, 8), constants=[[0, 0, 0], np.ones((1, 2, 2), "float32")])
    indexes, values = np.zeros((2, 3), "int32"), np.ones(2, "float32")
    yield "ScatterUpdate", fed("ScatterUpdate", (5, 8), constants=[indexes, values])
    yield "BatchNorm", fed("BatchNorm", (5, 8), constants=[np.ones(8, "float32")] * 4, axis=-1)
    for name in ("RGBToHSV", "HSVToRGB", "RGBToGrayscale"):
        yield name, fed(name, (8, None, 3))


def operation_trials() -> dict[str, list[Make]]:
    """The trials of each class of operation."""
    found: dict[str, list[Make]] = {}
    for part in (_elementwise, _axis_operations, _array_operations, _window_operations, _slices):
        for name, make in part():
            found.setdefault(name, []).append(make)
    return found
