"""Grad-CAM on a classifier whose backbone is a nested model: where in the picture the answer comes from.

python examples/grad_cam.py                       random weights, works offline
python examples/grad_cam.py --weights imagenet    Keras downloads them

Two queries make the model that Grad-CAM needs: `@*Conv*[-1]`, the last convolution, at whatever depth, and
the answer. It shares its layers and weights with the classifier. Writes `grad_cam.npy`, the map.
"""

import argparse

import keras
import numpy as np
import tensorflow as tf

import kgraph


def build(weights=None):
    """MobileNetV2 as the frozen base of a classifier of five kinds of flower."""
    base = keras.applications.MobileNetV2(
        include_top=False, weights=weights, input_shape=(96, 96, 3), name="base"
    )
    base.trainable = False
    image = keras.Input((96, 96, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    x = keras.layers.GlobalAveragePooling2D(name="average")(base(x, training=False))
    return keras.Model(image, keras.layers.Dense(5, activation="softmax", name="flower")(x), name="flowers")


def grad_cam(model, images, kind):
    """How much each place of the last convolution speaks for a kind: (batch, rows, columns), from 0 to 1."""
    both = kgraph.extract(model, ["maps=@*Conv*[-1]", "answer=flower"])
    with tf.GradientTape() as tape:
        made = both(images, training=False)
        score = made["answer"][:, kind]
    gradients = tape.gradient(score, made["maps"])
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * made["maps"], axis=-1))
    return (heat / (tf.reduce_max(heat, axis=(1, 2), keepdims=True) + 1e-12)).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", help="`imagenet`, or none for random ones")
    model = build(parser.parse_args().weights)
    (last,) = kgraph.select(model, "@*Conv*[-1]")
    print(f"the last convolution: {last}, {last.shape}")
    image = np.random.default_rng(0).uniform(0, 255, (1, 96, 96, 3)).astype("float32")
    heat = grad_cam(model, image, kind=0)
    np.save("grad_cam.npy", heat)
    row, column = np.unravel_index(heat[0].argmax(), heat[0].shape)
    print(f"the map: {heat.shape[1]} × {heat.shape[2]}, hottest at row {row}, column {column}")


if __name__ == "__main__":
    main()
