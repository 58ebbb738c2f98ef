"""VGG19's nodes reused: every layer's output, a few for style and content, features of data, a nested VGG19.

python examples/vgg19_features.py                       random weights, works offline
python examples/vgg19_features.py --weights imagenet    Keras downloads them

Its files, about 1.2 GB, go to a temporary folder that is removed at the end.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from keras import layers

import kgraph

STYLE = [f"block{i}_conv1" for i in range(1, 6)]
CONTENT = "content=block5_conv2"


def all_by_keras(model):
    """The feature extractor as one writes it without kgraph."""
    return keras.Model(model.input, [layer.output for layer in model.layers])


def from_file(path, target, queries):
    """The submodel, cut out of the saved model without Keras, which then loads nothing else."""
    kgraph.extract_file(path, target, queries)
    return keras.models.load_model(target)


def equal(features, others):
    """How many of two lists of outputs are equal to the last bit."""
    return sum(np.array_equal(a, b) for a, b in zip(features, others, strict=True))


def nested(weights=None):
    """VGG19 as the frozen base of a classifier of five kinds of flower."""
    base = keras.applications.VGG19(
        include_top=False, weights=weights, input_shape=(224, 224, 3), name="base"
    )
    base.trainable = False
    image = keras.Input((224, 224, 3), name="image")
    x = layers.GlobalAveragePooling2D(name="average")(base(image, training=False))
    return keras.Model(image, layers.Dense(5, activation="softmax", name="flower")(x), name="flowers")


def refusal(model):
    """What Keras says when asked for a tensor inside the nested model."""
    try:
        keras.Model(model.input, model.get_layer("base").get_layer("block3_conv1").output)
    except ValueError as error:
        return str(error).partition("\n")[0]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", choices=["imagenet"], help="default: random")
    weights = parser.parse_args().weights
    keras.utils.set_random_seed(0)
    image = np.random.default_rng(0).random((1, 224, 224, 3), dtype="float32")

    vgg19 = keras.applications.VGG19(weights=weights)
    everything = kgraph.extract(vgg19, "**")(image)
    by_keras = all_by_keras(vgg19)(image)
    same = equal(everything.values(), by_keras)
    print(f"`**`: {len(everything)} outputs; equal to those of keras.Model, bit for bit: {same}")

    chosen = kgraph.extract(vgg19, [*STYLE, CONTENT])(image)
    for key, values in chosen.items():
        print(f"  {key:15} {values.shape}")

    with TemporaryDirectory() as folder:
        path = Path(folder) / "vgg19.keras"
        vgg19.save(path)
        del vgg19
        for name, queries, live in (("few", [*STYLE, CONTENT], chosen), ("all", ["**"], everything)):
            cut = from_file(path, Path(folder) / f"{name}.keras", queries)
            made = cut(image)
            same = equal([made[key] for key in live], live.values())
            print(f"from the file: {cut.count_params():,} parameters; equal outputs: {same} of {len(live)}")
            del cut
        images = np.concatenate([image, np.random.default_rng(1).random((2, 224, 224, 3), dtype="float32")])
        made = kgraph.features(path, [*STYLE, CONTENT], images, batch=1, pool="avg")
        means = [live.numpy().mean(axis=(1, 2)) for live in chosen.values()]
        close = sum(
            np.allclose(made[key][:1], mean, rtol=1e-4) for key, mean in zip(made, means, strict=True)
        )
        print(f"features of 3 images, pooled: {made['content'].shape}; as above: {close} of {len(made)}")

    flowers = nested(weights)
    print("inside a nested VGG19, Keras says:", refusal(flowers))
    inner = kgraph.extract(flowers, ["base/block3_conv1", "base/block5_pool"])(image)
    alone = kgraph.extract(flowers.get_layer("base"), ["block3_conv1", "block5_pool"])
    same = equal(inner.values(), alone(image).values())
    print(f"kgraph takes {', '.join(inner)}; equal to those of VGG19 by itself: {same} of {len(inner)}")


if __name__ == "__main__":
    main()
