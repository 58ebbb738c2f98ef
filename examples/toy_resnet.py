"""A toy ResNet: skips drawn as skips, blocks that fold, and features at every addition.

python examples/toy_resnet.py

Trains a few steps on made-up pictures. Writes toy_resnet.keras, toy_resnet.svg, toy_resnet_folded.svg and
toy_resnet_additions.keras to the current folder.
"""

import keras
import numpy as np
from keras import layers

import kgraph

CLASSES = 10


def block(x, name):
    """Two convolutions, and what they were given added to what they made."""
    y = layers.Conv2D(64, 3, activation="relu", padding="same", name=f"{name}_conv1")(x)
    y = layers.Conv2D(64, 3, activation="relu", padding="same", name=f"{name}_conv2")(y)
    return layers.Add(name=f"{name}_add")([y, x])


def build():
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(32, 3, activation="relu", name="conv1")(image)
    x = layers.Conv2D(64, 3, activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, name="pool")(x)
    x = block(block(x, "block1"), "block2")
    x = layers.Conv2D(64, 3, activation="relu", name="conv3")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(256, activation="relu", name="dense")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(image, layers.Dense(CLASSES, name="classes")(x), name="toy_resnet")


def train(model, steps=8):
    """The loss after so many steps on made-up pictures."""
    random = np.random.default_rng(0)
    images = random.random((steps * 32, 32, 32, 3), dtype="float32")
    classes = random.integers(CLASSES, size=steps * 32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3), loss=loss)
    return model.fit(images, classes, batch_size=32, verbose=0).history["loss"][-1]


def skips(graph):
    """Each addition: where it stands, and how many steps its two ways are long since they parted."""
    place = {node.layer: i for i, node in enumerate(graph.nodes)}
    found = {}
    for node in graph.nodes:
        if graph.layer(node.layer).class_name == "Add":
            found[node.layer] = sorted(place[node.layer] - place[t.layer] for t in node.inputs.values())
    return found


def draw(graph, path):
    with open(path, "wb") as file:
        file.write(kgraph.render(kgraph.to_dot(graph), "svg"))


def main():
    keras.utils.set_random_seed(0)
    model = build()
    print(f"loss after 8 steps: {train(model):.3f}")
    model.save("toy_resnet.keras")
    graph = kgraph.read("toy_resnet.keras")
    print(kgraph.to_text(graph, width=100))
    for name, (near, far) in skips(graph).items():
        print(f"{name} reads the node {near} before it, and by the skip the one {far} before it")

    draw(graph, "toy_resnet.svg")
    folded = kgraph.fold(graph)
    print("drawn once:", *(f"{layer.name} × {layer.repeats}" for layer in folded.layers if layer.repeats > 1))
    draw(folded, "toy_resnet_folded.svg")

    image = np.random.default_rng(1).random((1, 32, 32, 3), dtype="float32")
    features = kgraph.extract(model, "@Add").predict(image, verbose=0)
    kgraph.extract_file("toy_resnet.keras", "toy_resnet_additions.keras", "@Add", force=True)
    from_file = keras.models.load_model("toy_resnet_additions.keras").predict(image, verbose=0)
    for address, values in features.items():
        equal = np.array_equal(values, from_file[address])
        print(f"{address}: features {values.shape}; from the file without the rest: equal: {equal}")
    print("wrote toy_resnet.keras, toy_resnet.svg, toy_resnet_folded.svg, toy_resnet_additions.keras")


if __name__ == "__main__":
    main()
