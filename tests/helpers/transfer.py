"""The model of transfer learning: a frozen backbone, nested under a new head."""

from __future__ import annotations

from typing import Any

import keras


def transfer() -> Any:
    """MobileNetV2 without its top, frozen, as `backbone`; then a pooling and a head of five kinds."""
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(96, 96, 3), name="backbone"
    )
    backbone.trainable = False
    image = keras.Input((96, 96, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(backbone(image, training=False))
    return keras.Model(image, keras.layers.Dense(5, activation="softmax", name="kind")(x), name="transfer")
