"""Extracting from a live model beside Keras's own `Model` of the same tensors. `python tests/bench/live.py`

Prints for 20 tensors of NASNetLarge the processor's milliseconds of each, and how many times those of Keras.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from time import process_time


def quickest(*actions: Callable[[], object]) -> list[float]:
    """The processor's seconds that each action takes, the best of 15 rounds of all in turn.

    In turn, so that whatever else the machine does troubles all alike; garbage is collected between.
    """
    rounds = []
    for _ in range(15):
        seconds = []
        for action in actions:
            gc.collect()
            start = process_time()
            action()
            seconds.append(process_time() - start)
        rounds.append(seconds)
    return [min(column) for column in zip(*rounds, strict=True)]


def compare() -> tuple[float, float]:
    """The seconds of `kgraph.extract` and of `keras.Model`, with a line printed for both."""
    import keras

    from kgraph import extract

    model = keras.applications.NASNetLarge(weights=None)
    names = [layer.name for layer in random.Random(0).sample(model.layers[1:], 20)]
    ours, theirs = quickest(
        lambda: extract(model, names),
        lambda: keras.Model(model.inputs, [model.get_layer(n).output for n in names]),
    )
    print(f"extract {ours * 1000:.0f} ms, keras.Model {theirs * 1000:.0f} ms: {ours / theirs:.2f} times")
    return ours, theirs


if __name__ == "__main__":
    compare()
