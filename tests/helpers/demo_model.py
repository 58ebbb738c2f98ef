"""Makes `kgraph/demo.keras`, which `kgraph demo` shows: `python -m helpers.demo_model` in `tests`."""

from __future__ import annotations

from typing import Any

from helpers.places import DEMO


def build() -> Any:
    """Two texts through one embedding and one encoder, two answers; untrained, compiled."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    words = keras.Input((None, 16), name="words")
    x = layers.Conv1D(32, 3, padding="same", activation="relu", name="conv")(words)
    x = layers.GlobalMaxPooling1D(name="pool")(x)
    encoder = keras.Model(words, layers.Dense(24, activation="relu", name="summary")(x), name="encoder")

    title = keras.Input((None,), dtype="int32", name="title")
    body = keras.Input((None,), dtype="int32", name="body")
    embedding = layers.Embedding(500, 16, name="embedding")
    texts = layers.Concatenate(name="both")([encoder(embedding(title)), encoder(embedding(body))])
    priority = layers.Dense(1, activation="sigmoid", name="priority")(texts)
    department = layers.Dense(4, activation="softmax", name="department")(texts)
    model = keras.Model([title, body], [priority, department], name="tickets")
    model.compile(
        optimizer="rmsprop",
        loss={"priority": "binary_crossentropy", "department": "categorical_crossentropy"},
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    return model


if __name__ == "__main__":
    build().save(DEMO)
