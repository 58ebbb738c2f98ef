"""Random models of Keras 3 or 2 in which masks are made, handed on, merged, used and dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

STEPS, WIDTH, WORDS = 5, 4, 9
KINDS = (
    *("dense", "norm", "conv", "masking", "lstm", "gru", "both", "each_step", "attention", "heads", "add"),
    *("join", "multiply", "operation", "cast", "batch", "nested", "nested_line", "again", "steps_of_model"),
)


class _Builder:
    """Layers whose inputs and outputs all have the shape (None, 5, 4), so that anything fits anything."""

    def __init__(self, library: Any, draw: st.DrawFn) -> None:
        self.library, self.layers, self.draw = library, library.layers, draw
        self.again: list[Any] = []

    def one(self, tensors: list[Any]) -> Any:
        return self.draw(st.sampled_from(tensors))

    def single(self, kind: str, name: str) -> Any:
        """A layer that reads one tensor; None for another kind."""
        layers = self.layers
        make = {
            "dense": lambda: layers.Dense(WIDTH, name=name),
            "norm": lambda: layers.LayerNormalization(name=name),
            "batch": lambda: layers.BatchNormalization(name=name),
            "conv": lambda: layers.Conv1D(WIDTH, 2, padding="same", name=name),
            "masking": lambda: layers.Masking(name=name),
            "lstm": lambda: layers.LSTM(WIDTH, return_sequences=True, name=name),
            "gru": lambda: layers.GRU(WIDTH, return_sequences=True, name=name),
            "both": lambda: layers.Bidirectional(
                layers.LSTM(WIDTH, return_sequences=True), merge_mode="sum", name=name
            ),
            "each_step": lambda: layers.TimeDistributed(layers.Dense(WIDTH), name=name),
        }.get(kind)
        return make() if make else None

    def step(self, kind: str, name: str, tensors: list[Any], depth: int) -> list[Any]:
        """The tensors with what one more call makes."""
        layer = self.single(kind, name)
        if layer is not None:
            self.again.append(layer)
            return [*tensors, layer(self.one(tensors))]
        if kind == "again" and self.again:
            return [*tensors, self.one(self.again)(self.one(tensors))]
        if kind in ("nested", "nested_line", "steps_of_model") and depth:
            return [*tensors, self.nested(kind, name, depth)(self.one(tensors))]
        return [*tensors, *self.of_two(kind, name, self.one(tensors), self.one(tensors))]

    def of_two(self, kind: str, name: str, a: Any, b: Any) -> list[Any]:
        layers = self.layers
        if kind == "attention":
            return [layers.Attention(name=name)([a, b])]
        if kind == "heads":
            return [layers.MultiHeadAttention(2, 2, name=name)(a, b)]
        if kind in ("add", "multiply"):
            return [(layers.Add if kind == "add" else layers.Multiply)(name=name)([a, b])]
        if kind == "join":
            return [layers.Dense(WIDTH, name=f"{name}_dense")(layers.Concatenate(name=name)([a, b]))]
        if kind == "cast":
            import tensorflow as tf

            cast = getattr(getattr(self.library, "ops", None), "cast", tf.cast)
            return [cast(a, "float32")]
        return [a * 2.0] if kind == "operation" else []

    def nested(self, kind: str, name: str, depth: int) -> Any:
        """A nested model: functional, a Sequential, or one that is called for each step."""
        layers, keras = self.layers, self.library
        if kind == "steps_of_model":
            step = layers.Input((WIDTH,), name=f"{name}_step")
            hidden = layers.Dense(WIDTH, name=f"{name}_b")(layers.Dense(WIDTH, name=f"{name}_a")(step))
            return layers.TimeDistributed(keras.Model(step, hidden, name=f"{name}_of"), name=name)
        kinds = [
            self.draw(st.sampled_from(["dense", "masking", "lstm", "both", "conv", "norm"])) for _ in range(2)
        ]
        if kind == "nested_line":
            line = [self.single(k, f"{name}_{k}{i}") for i, k in enumerate(kinds)]
            return keras.Sequential([layers.Input((STEPS, WIDTH), name=f"{name}_x"), *line], name=name)
        x = layers.Input((STEPS, WIDTH), name=f"{name}_x")
        inner = [x]
        for i, k in enumerate([*kinds, "nested"][: 2 + depth // 2]):
            inner = self.step(k, f"{name}_{k}{i}", inner, depth - 1)
        return keras.Model(x, inner[-1], name=name)


@st.composite
def masked_models(draw: st.DrawFn, library: Any, kinds: tuple[str, ...] = KINDS) -> Any:
    """A functional model of `library` (keras or tf_keras) that reads `ids` and `x`."""
    layers, build = library.layers, _Builder(library, draw)
    library.utils.set_random_seed(draw(st.integers(0, 99)))
    ids = layers.Input((STEPS,), dtype="int32", name="ids")
    x = layers.Input((STEPS, WIDTH), name="x")
    words = layers.Embedding(WORDS, WIDTH, mask_zero=draw(st.booleans()), name="words")(ids)
    more = layers.Embedding(WORDS, WIDTH, mask_zero=True, name="more")(ids)
    tensors = [words, more, x]
    for index in range(draw(st.integers(2, 5))):
        kind = draw(st.sampled_from(kinds))
        tensors = build.step(kind, f"{kind}{index}", tensors, 2)
    last = [layers.GlobalAveragePooling1D(name="mean")(tensors[-1])]
    if draw(st.booleans()):
        last.append(layers.LSTM(2, name="end")(build.one(tensors)))
    used = [ids] if not _depends_on(last, x) else [ids, x] if _depends_on(last, ids) else [x]
    return library.Model(used, last, name="masked")


def _depends_on(outputs: list[Any], given: Any) -> bool:
    """Whether a symbolic output depends on an input."""
    waiting, seen = list(outputs), set()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if tensor is given:
            return True
        operation, index, _ = tensor._keras_history
        node = operation._inbound_nodes[index]
        read = node.keras_inputs if hasattr(node, "keras_inputs") else node.input_tensors
        waiting += read if isinstance(read, list | tuple) else [read]
    return False


def masked_data(seed: int = 0) -> dict[str, Any]:
    """A batch of 2 in which words and steps are masked."""
    random = np.random.default_rng(seed)
    ids = random.integers(1, WORDS, (2, STEPS))
    ids[0, 3:] = 0
    ids[1, 1:3] = 0
    x = random.standard_normal((2, STEPS, WIDTH)).astype("float32")
    x[0, 2:] = 0.0
    return {"ids": ids.astype("int32"), "x": x}
