"""Layers that keep a shape, work along its last axis, join tensors or move their elements (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Sequence

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    split_names,
    whole_number,
)
from kgraph.transforms.shape_rules.dtypes import computed_dtype, kept_dtype, moved_dtype
from kgraph.transforms.shape_rules.sizes import (
    Size,
    axis_number,
    axis_numbers,
    concatenate,
    product,
    reshape_sizes,
)


def keep_shape(call: CallFacts) -> Sequence[Facts]:
    return [Facts(call.shape, kept_dtype(call))]


def _compute_same_shape(call: CallFacts) -> Sequence[Facts]:
    return [Facts(call.shape, computed_dtype(call))]


def check_rows(call: CallFacts, size: Size, kernel: str, axis: int) -> None:
    """None; `WrongSizeError` if a size is not the number of rows that the layer's kernel has on an axis."""
    rows = call.weight(kernel)
    if size is not None and rows is not None and len(rows) >= -axis and rows[axis] not in (None, size):
        raise WrongSizeError(f"has a kernel for {rows[axis]:,} channels, and would be given {size:,}")


def _dense(call: CallFacts) -> Sequence[Facts]:
    if len(call.shape) < 2:
        raise UnsureError("no axis of channels")
    check_rows(call, call.shape[-1], "kernel", -2)
    return [Facts((*call.shape[:-1], whole_number(call.config["units"])), computed_dtype(call))]


def _embedding(call: CallFacts) -> Sequence[Facts]:
    return [Facts((*call.shape, whole_number(call.config["output_dim"])), computed_dtype(call))]


def _reversible_embedding(call: CallFacts) -> Sequence[Facts]:
    if call.argument("reverse", False, "1"):
        return [Facts((*call.shape[:-1], whole_number(call.config["input_dim"])), None)]
    return _embedding(call)


def _einsum_dense(call: CallFacts) -> Sequence[Facts]:
    """As `_analyze_split_string`: the batch, the axes of an ellipsis, then `output_shape` as it is.

    Where `output_shape` leaves a size open, Keras 3 says that it is free; Keras 2 that of the input's letter.
    """
    given, _, rest = str(call.config["equation"]).replace(" ", "").partition(",")
    made = rest.partition("->")[2]
    settings = call.config["output_shape"]
    targets = [settings] if isinstance(settings, int) else list(settings)
    elided = len(call.shape) - len(given.replace("...", ""))
    if given.endswith("...") or elided < 0 or ("..." in given) != ("..." in made):
        raise UnsureError("an ellipsis that does not come first, or another rank")
    front = call.shape[: max(elided, 1)] if "..." in given else call.shape[:1]
    letters = dict(zip(given.replace("...", ""), call.shape[elided:], strict=True))
    result: list[Size] = []
    for letter, target in zip(made.replace("...", "")[-len(targets) :], targets, strict=True):
        size = None if target is None else whole_number(target)
        if letter in letters and size is not None and letters[letter] != size:
            raise UnsureError("a size that the config gives otherwise")
        result.append(letters.get(letter) if size is None and call.keras != 3 else size)
    return [Facts((*front, *result), computed_dtype(call))]


def _flatten(call: CallFacts) -> Sequence[Facts]:
    if not call.shape:
        raise UnsureError("no batch")
    return [Facts((call.shape[0], product(call.shape[1:])), moved_dtype(call))]


def _reshape(call: CallFacts) -> Sequence[Facts]:
    batch, *rest = call.shape
    return [Facts((batch, *reshape_sizes(rest, call.config["target_shape"])), moved_dtype(call))]


def _permute(call: CallFacts) -> Sequence[Facts]:
    order = [whole_number(axis) for axis in call.config["dims"]]
    if sorted(order) != list(range(1, len(call.shape))):
        raise UnsureError("not an order of the axes")
    return [Facts((call.shape[0], *(call.shape[axis] for axis in order)), moved_dtype(call))]


def _repeat_vector(call: CallFacts) -> Sequence[Facts]:
    batch, size = call.shape
    return [Facts((batch, whole_number(call.config["n"]), size), moved_dtype(call))]


def _concatenate(call: CallFacts) -> Sequence[Facts]:
    return [Facts(concatenate(call.shapes, call.config.get("axis", -1)), moved_dtype(call))]


def _merge(call: CallFacts) -> Sequence[Facts]:
    """As `layers/merging/base_merge.py` for inputs of one rank: 1 gives way, a free size stays free."""
    shapes = call.shapes
    if len({len(shape) for shape in shapes}) != 1 or not shapes[0] or len(shapes) < 2:
        raise UnsureError("tensors of different ranks")
    batches: set[Size] = {shape[0] for shape in shapes}
    columns = [set(column) for column in list(zip(*shapes, strict=True))[1:]]
    if call.keras != 3 and any(None in sizes and sizes - {None, 1} for sizes in [batches, *columns]):
        raise UnsureError("a free size beside a fixed one, which Keras 2 joins in TensorFlow's way")
    if any(len(column - {None, 1}) > 1 for column in columns):
        raise WrongSizeError(f"joins tensors of shapes {' and '.join(map(str, shapes))}")
    batch = batches - {None}
    if len(batch) > 1 and call.keras != 3:
        raise UnsureError("batches of different sizes")
    space = [None if None in column else max(d or 1 for d in column) for column in columns]
    return [Facts((batch.pop() if len(batch) == 1 else None, *space), kept_dtype(call))]


def _dot(call: CallFacts) -> Sequence[Facts]:
    """As `layers/merging/dot.py` `compute_output_shape`."""
    left, right = (list(shape) for shape in call.shapes)
    axes = call.config["axes"]
    axes = [axes, axes] if isinstance(axes, int) else list(axes)
    places = [axis_number(axis, len(shape)) for axis, shape in zip(axes, (left, right), strict=True)]
    if 0 in places or min(len(left), len(right)) < 2:
        raise UnsureError("products along the batch")
    a, b = left.pop(places[0]), right.pop(places[1])
    if a is not None and b is not None and a != b:
        raise WrongSizeError(f"multiplies axes of sizes {a} and {b}")
    if left[0] != right[0]:
        raise UnsureError("different batches")
    made = left + right[1:]
    return [Facts(tuple(made if len(made) > 1 else [*made, 1]), kept_dtype(call))]


def _layer_scale(call: CallFacts) -> Sequence[Facts]:
    """`LayerScale` of `applications/convnext.py`: multiplied by as many numbers as there are channels."""
    if call.shape[-1] != whole_number(call.config["projection_dim"]):
        raise UnsureError("another number of channels")
    return keep_shape(call)


def _custom_scale(call: CallFacts) -> Sequence[Facts]:
    """`CustomScaleLayer` of `applications/inception_resnet_v2.py`: a sum of two tensors."""
    left, right = call.shapes
    if left != right:
        raise UnsureError("different shapes")
    return [Facts(left, kept_dtype(call))]


def _batch_norm(call: CallFacts) -> Sequence[Facts]:
    axes = axis_numbers(call.config.get("axis", -1), len(call.shape))
    check_channels(call, call.shape[axes[0]], "gamma", "moving_mean")
    return keep_shape(call)


def check_channels(call: CallFacts, size: Size, *names: str) -> None:
    """None; `WrongSizeError` if the layer's weights are for another number of channels."""
    for name in names:
        weight: Shape | None = call.weight(name)
        if size is not None and weight is not None and len(weight) == 1 and weight[0] != size:
            raise WrongSizeError(f"is for {weight[0]} channels, and would be given {size:,}")


KEEPING = split_names("""
    Activation ReLU LeakyReLU ELU PReLU Softmax Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D
    GaussianNoise GaussianDropout AlphaDropout Identity LayerNormalization GroupNormalization
    RMSNormalization UnitNormalization Masking ActivityRegularization ThresholdedReLU
""")
RULES: dict[str, Rule] = {
    **dict.fromkeys(KEEPING, keep_shape),
    "BatchNormalization": _batch_norm,
    **dict.fromkeys(("Rescaling", "Normalization"), _compute_same_shape),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _merge),
    "Concatenate": _concatenate,
    "Dot": _dot,
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "ReversibleEmbedding": _reversible_embedding,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "LayerScale": _layer_scale,
    "CustomScaleLayer": _custom_scale,
}
