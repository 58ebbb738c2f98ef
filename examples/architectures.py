"""Architectures whose pictures the README shows: `kgraph show examples.architectures:unet -o unet.svg`."""

import keras
from keras import layers


def unet():
    """Three levels down, three up, and skips across."""
    image = x = keras.Input((128, 128, 3), name="image")
    skips = []
    for level, size in enumerate((32, 64, 128), 1):
        x = layers.Conv2D(size, 3, padding="same", activation="relu", name=f"down{level}_conv1")(x)
        x = layers.Conv2D(size, 3, padding="same", activation="relu", name=f"down{level}_conv2")(x)
        skips.append(x)
        x = layers.MaxPooling2D(name=f"down{level}_pool")(x)
    x = layers.Conv2D(256, 3, padding="same", activation="relu", name="middle")(x)
    for level, size in ((3, 128), (2, 64), (1, 32)):
        x = layers.Conv2DTranspose(size, 2, 2, name=f"up{level}")(x)
        x = layers.Concatenate(name=f"up{level}_join")([skips[level - 1], x])
        x = layers.Conv2D(size, 3, padding="same", activation="relu", name=f"up{level}_conv")(x)
    return keras.Model(image, layers.Conv2D(2, 1, activation="softmax", name="mask")(x), name="unet")


def gpt(blocks=24):
    """Causal attention and a small network, so many times."""
    tokens = keras.Input((32,), dtype="int32", name="tokens")
    x = layers.Embedding(1000, 64, name="token_embedding")(tokens)
    x = layers.Dropout(0.1, name="embedding_drop")(x)
    for i in range(blocks):
        y = layers.LayerNormalization(name=f"h{i}_attention_norm")(x)
        y = layers.MultiHeadAttention(4, 16, name=f"h{i}_attention")(y, y, use_causal_mask=True)
        y = layers.Dropout(0.1, name=f"h{i}_attention_drop")(y)
        x = layers.Add(name=f"h{i}_attention_add")([x, y])
        y = layers.LayerNormalization(name=f"h{i}_mlp_norm")(x)
        y = layers.Dense(256, activation="gelu", name=f"h{i}_mlp_up")(y)
        y = layers.Dropout(0.1, name=f"h{i}_mlp_drop")(layers.Dense(64, name=f"h{i}_mlp_down")(y))
        x = layers.Add(name=f"h{i}_mlp_add")([x, y])
    x = layers.LayerNormalization(name="norm")(x)
    return keras.Model(tokens, layers.Dense(1000, name="next_token")(x), name="gpt")
