"""Random live models: branches, shared layers, nesting, operations, dicts, several outputs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WIDTH = 4


@st.composite
def live_models(draw: st.DrawFn, depth: int = 3, name: str = "model") -> Any:
    """A functional model whose tensors all have the shape (None, 4), so that anything fits anything."""
    import keras
    from keras import layers, ops

    count = draw(st.integers(1, 2))
    inputs = [keras.Input((WIDTH,), name=f"{name}_in{i}") for i in range(count)]
    tensors = list(inputs)
    made: list[Any] = []  # layers that may be called again

    def one() -> Any:
        return draw(st.sampled_from(tensors))

    def fresh(kind: str, index: int) -> Any:
        label = f"{name}_{kind}{index}"
        if kind == "dense":
            return layers.Dense(WIDTH, activation="tanh", name=label)
        return layers.BatchNormalization(name=label) if kind == "norm" else layers.ReLU(name=label)

    for index in range(draw(st.integers(2, 5))):
        kind = draw(
            st.sampled_from(
                ["dense", "norm", "relu", "add", "operation", "keyword", "split", "again", "nested"]
            )
        )
        if kind in ("dense", "norm", "relu"):
            made.append(fresh(kind, index))
            tensors.append(made[-1](one()))
        elif kind == "add":
            tensors.append(layers.Add(name=f"{name}_add{index}")([one(), one()]))
        elif kind == "operation":
            tensors.append(one() * 2.0 + one())
        elif kind == "keyword":
            tensors.append(ops.maximum(x1=one(), x2=one()))
        elif kind == "split":
            left, right = ops.split(one(), 2, axis=-1)
            tensors.append(layers.Concatenate(name=f"{name}_join{index}")([right, left]))
        elif kind == "again" and made:
            tensors.append(draw(st.sampled_from(made))(one()))
        elif kind == "nested" and depth:
            inner = draw(live_models(depth=depth - 1, name=f"{name}_n{index}"))
            for _ in range(draw(st.integers(1, 2))):
                given = keras.tree.pack_sequence_as(inner.input, [one() for _ in inner.inputs])
                training = draw(st.sampled_from([{}, {"training": False}]))
                tensors += keras.tree.flatten(inner(given, **training))
    outputs = draw(st.lists(st.sampled_from(tensors[count:] or tensors), min_size=1, max_size=2))
    into: Any = inputs[0] if count == 1 else draw(st.sampled_from([inputs, {t.name: t for t in inputs}]))
    out: Any = (
        outputs[0]
        if len(outputs) == 1
        else draw(st.sampled_from([outputs, dict(zip("ba", outputs, strict=True))]))
    )
    return keras.Model(into, out, name=name)
