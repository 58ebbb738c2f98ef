"""The models whose pictures people look at: `PICTURED`, name → builder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from examples.architectures import unet
from models.registry import k

DEMO = Path(__file__).parents[2] / "kgraph" / "demo.keras"


def ticket() -> Any:
    """Keras's own example of several inputs and outputs."""
    keras, layers, _ = k()
    title = keras.Input((None,), dtype="int32", name="title")
    body = keras.Input((None,), dtype="int32", name="body")
    tags = keras.Input((12,), name="tags")
    embedding = layers.Embedding(10_000, 64, name="shared_embedding")
    both = layers.Concatenate(name="concatenate")(
        [
            layers.LSTM(128, name="title_lstm")(embedding(title)),
            layers.LSTM(32, name="body_lstm")(embedding(body)),
            tags,
        ]
    )
    outputs = {
        "priority": layers.Dense(1, "sigmoid", name="priority")(both),
        "department": layers.Dense(4, "softmax", name="department")(both),
    }
    model = keras.Model([title, body, tags], outputs, name="ticket")
    model.compile(
        loss={"priority": "binary_crossentropy", "department": "categorical_crossentropy"},
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    return model


def toy_resnet() -> Any:
    """Keras's own example of skips."""
    keras, layers, _ = k()
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(32, 3, activation="relu", name="conv1")(image)
    x = layers.Conv2D(64, 3, activation="relu", name="conv2")(x)
    out = layers.MaxPooling2D(3, name="pool")(x)
    for block in (1, 2):
        x = layers.Conv2D(64, 3, activation="relu", padding="same", name=f"block{block}_conv1")(out)
        x = layers.Conv2D(64, 3, activation="relu", padding="same", name=f"block{block}_conv2")(x)
        out = layers.Add(name=f"block{block}_add")([x, out])
    x = layers.Conv2D(64, 3, activation="relu", name="conv3")(out)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(256, activation="relu", name="dense")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(image, layers.Dense(10, name="classes")(x), name="toy_resnet")


def vgg19() -> Any:
    return k()[0].applications.VGG19(weights=None)


def resnet50() -> Any:
    return k()[0].applications.ResNet50(weights=None)


def seq2seq() -> Any:
    """An encoder and a decoder of LSTMs, joined by their states."""
    keras, layers, _ = k()
    source, target = keras.Input((None, 71), name="source"), keras.Input((None, 93), name="target")
    _, h, c = layers.LSTM(256, return_state=True, name="encoder")(source)
    decoded, _, _ = layers.LSTM(256, return_sequences=True, return_state=True, name="decoder")(
        target, initial_state=[h, c]
    )
    return keras.Model([source, target], layers.Dense(93, "softmax", name="letter")(decoded), name="seq2seq")


def transformer() -> Any:
    """One encoder block, with attention over the unmasked words."""
    keras, layers, _ = k()
    x = keras.Input((None, 256), name="words")
    mask = keras.Input((None,), dtype="bool", name="mask")
    attended = layers.MultiHeadAttention(8, 32, name="attention")(x, x, attention_mask=mask[:, None, :])
    y = layers.LayerNormalization(name="attention_norm")(layers.Add(name="attention_add")([x, attended]))
    z = layers.Dense(256, name="mlp_down")(layers.Dense(1024, "gelu", name="mlp_up")(y))
    out = layers.LayerNormalization(name="mlp_norm")(layers.Add(name="mlp_add")([y, z]))
    return keras.Model([x, mask], out, name="transformer_block")


def siamese() -> Any:
    """One encoder for two pictures."""
    keras, layers, _ = k()
    pixels = keras.Input((28, 28, 1), name="pixels")
    x = layers.Conv2D(32, 3, activation="relu", name="conv")(pixels)
    x = layers.Flatten(name="flatten")(layers.MaxPooling2D(name="pool")(x))
    encoder = keras.Model(pixels, layers.Dense(64, name="vector")(x), name="encoder")
    left, right = keras.Input((28, 28, 1), name="left"), keras.Input((28, 28, 1), name="right")
    distance = layers.Subtract(name="distance")([encoder(left), encoder(right)])
    return keras.Model([left, right], layers.Dense(1, "sigmoid", name="same")(distance), name="siamese")


def demo() -> Any:
    """The file of the model that `kgraph demo` shows."""
    return DEMO


PICTURED = {
    build.__name__: build
    for build in (demo, ticket, toy_resnet, vgg19, resnet50, seq2seq, unet, transformer, siamese)
}
