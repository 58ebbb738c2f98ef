"""Ticket triage: three inputs, two outputs with losses by name, and the ticket's embedding as features.

python examples/ticket_triage.py

Trains on made-up tickets. Writes ticket_triage.keras, ticket_triage.svg and ticket_embedding.keras to the
current folder.
"""

import keras
import numpy as np
from keras import layers

import kgraph

WORDS, TAGS, DEPARTMENTS = 10_000, 12, 4
LOSSES = {"priority": "binary_crossentropy", "department": "categorical_crossentropy"}
WEIGHTS = {"priority": 1.0, "department": 0.2}


def build():
    """Title, body and tags of a ticket → its priority and its department; compiled by names."""
    title = keras.Input((None,), dtype="int32", name="title")
    body = keras.Input((None,), dtype="int32", name="body")
    tags = keras.Input((TAGS,), name="tags")
    title_words = layers.Embedding(WORDS, 64, name="title_embedding")(title)
    body_words = layers.Embedding(WORDS, 64, name="body_embedding")(body)
    title_vector = layers.LSTM(128, name="title_lstm")(title_words)
    body_vector = layers.LSTM(32, name="body_lstm")(body_words)
    ticket = layers.Concatenate(name="ticket")([title_vector, body_vector, tags])
    priority = layers.Dense(1, activation="sigmoid", name="priority")(ticket)
    department = layers.Dense(DEPARTMENTS, activation="softmax", name="department")(ticket)
    model = keras.Model([title, body, tags], [priority, department], name="ticket_triage")
    model.compile(keras.optimizers.RMSprop(1e-3), loss=LOSSES, loss_weights=WEIGHTS)
    return model


def made_up(count=1280, seed=0):
    """So many tickets, and their targets, by name."""
    random = np.random.default_rng(seed)
    tickets = {
        "title": random.integers(WORDS, size=(count, 10), dtype="int32"),
        "body": random.integers(WORDS, size=(count, 100), dtype="int32"),
        "tags": random.integers(2, size=(count, TAGS)).astype("float32"),
    }
    targets = {
        "priority": random.random((count, 1), dtype="float32"),
        "department": np.eye(DEPARTMENTS, dtype="float32")[random.integers(DEPARTMENTS, size=count)],
    }
    return tickets, targets


def train(model, tickets, targets, epochs=2):
    """The loss after each epoch; inputs and targets are given by name."""
    return model.fit(tickets, targets, epochs=epochs, batch_size=32, verbose=0).history["loss"]


def train_with_lists(model, tickets, targets, epochs=2):
    """The same, with losses, inputs and targets in the order of the model's inputs and outputs."""
    losses, weights = list(LOSSES.values()), list(WEIGHTS.values())
    model.compile(keras.optimizers.RMSprop(1e-3), loss=losses, loss_weights=weights)
    given, wanted = list(tickets.values()), list(targets.values())
    return model.fit(given, wanted, epochs=epochs, batch_size=32, verbose=0).history["loss"]


def embedder_from_file(path):
    """The embedding extractor, cut out of the saved model without loading it."""
    kgraph.extract_file(path, "ticket_embedding.keras", "ticket", force=True)
    return keras.models.load_model("ticket_embedding.keras")


def main():
    keras.utils.set_random_seed(0)
    tickets, targets = made_up()
    some = {name: values[:4] for name, values in tickets.items()}
    model = build()
    embedder = kgraph.extract(model, "ticket")  # shares the model's layers, so it learns what they learn
    before = embedder.predict(some, verbose=0)
    print("losses by name: ", *(f"{loss:.3f}" for loss in train(model, tickets, targets)))
    after = embedder.predict(some, verbose=0)
    print(f"4 tickets → features {after.shape}; changed by training: {not np.array_equal(before, after)}")

    model.save("ticket_triage.keras")
    from_file = embedder_from_file("ticket_triage.keras").predict(some, verbose=0)
    print("ticket_embedding.keras, cut out of the file: equal:", np.array_equal(after, from_file))

    graph = kgraph.read("ticket_triage.keras")
    print("the file's graph is the live model's:", graph == kgraph.read(model), end="\n\n")
    print(kgraph.to_text(graph, width=110))
    with open("ticket_triage.svg", "wb") as file:
        file.write(kgraph.render(kgraph.to_dot(graph), "svg"))
    print("losses in lists:", *(f"{loss:.3f}" for loss in train_with_lists(build(), tickets, targets)))
    print("wrote ticket_triage.keras, ticket_triage.svg, ticket_embedding.keras")


if __name__ == "__main__":
    main()
