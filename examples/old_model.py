"""A model of Keras 2 that Keras 3 cannot load, carried over and cut: `python examples/old_model.py`.

It has an LSTM, a gate with `hard_sigmoid`, which means another thing today, and bare functions of TensorFlow,
which Keras 2 kept as `TFOpLambda`. It is written here with `tf_keras` (`pip install tf_keras`).
"""

import keras
import numpy as np
import tensorflow as tf
import tf_keras

import kgraph

words = tf_keras.Input((12,), name="words")
steps = tf_keras.layers.Embedding(500, 16, name="embedding")(words)
state = tf_keras.layers.LSTM(24, recurrent_activation="hard_sigmoid", name="lstm")(steps)
gate = tf.nn.relu(state) * 0.5
label = tf_keras.layers.Dense(4, activation="softmax", name="label")(gate)
old = tf_keras.Model(words, label, name="tickets")
old.save("tickets.h5")

kgraph.convert("tickets.h5", "tickets.keras", force=True)
new = keras.models.load_model("tickets.keras")

texts = np.random.default_rng(0).integers(0, 500, (3, 12))
apart = np.abs(old(texts).numpy() - keras.ops.convert_to_numpy(new(texts))).max()
print(f"Keras 2 and Keras 3 agree: {apart < 1e-6}")

queries = ["lstm", "logits=preactivation(label)"]
kgraph.extract_file("tickets.h5", "ticket_features.keras", queries, force=True)
features = keras.models.load_model("ticket_features.keras")
for key, value in features(texts).items():
    print(key, tuple(value.shape))
