"""One Embedding on two inputs: both calls named, what sharing saves, and each call by its own address.

python examples/shared_embedding.py

Writes shared_embedding.keras, second_call.keras and shared_embedding.svg to the current folder.
"""

import keras
import numpy as np
from keras import layers

import kgraph


def build():
    """Two variable-length texts, both put in vectors by one layer."""
    embedding = layers.Embedding(1000, 128, name="embedding")
    first = keras.Input((None,), dtype="int32", name="first")
    second = keras.Input((None,), dtype="int32", name="second")
    return keras.Model([first, second], [embedding(first), embedding(second)], name="shared_embedding")


def train_through_first(model, words):
    """One step that pulls the vectors of these words to zero, by a model of the first input alone."""
    alone = kgraph.extract(model, "embedding#0", inputs="first")
    alone.compile(keras.optimizers.SGD(1.0), loss="mean_squared_error")
    targets = np.zeros((*words.shape, 128), "float32")
    return alone.train_on_batch(words, targets)


def main():
    keras.utils.set_random_seed(0)
    model = build()
    model.save("shared_embedding.keras")
    graph = kgraph.read("shared_embedding.keras")
    report = kgraph.sharing(graph)
    print(kgraph.to_sharing_text(report, width=100))
    (shared,) = report.shared
    print(f"{shared.path} is called as", *(str(call.outputs[0]) for call in shared.calls))
    print(f"a copy for each call would cost {shared.saving.parameters:,} parameters more\n")

    words = np.array([[3, 1, 4, 1, 5]], "int32")
    second = kgraph.extract(model, "embedding#1", inputs="second")
    before = second.predict(words, verbose=0)
    kgraph.extract_file("shared_embedding.keras", "second_call.keras", "embedding#1", force=True)
    from_file = keras.models.load_model("second_call.keras").predict(words, verbose=0)
    print("embedding#1, cut out of the file, alone: equal:", np.array_equal(before, from_file))

    train_through_first(model, words)
    after = second.predict(words, verbose=0)
    print("trained through `first`; `second` sees other vectors:", bool((before != after).any()))

    with open("shared_embedding.svg", "wb") as file:
        file.write(kgraph.render(kgraph.to_dot(graph), "svg"))
    print("wrote shared_embedding.keras, second_call.keras, shared_embedding.svg")


if __name__ == "__main__":
    main()
