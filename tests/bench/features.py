"""Features of many rows beside a bare loop over the same pipeline: `features.py [ROWS] [--ray]`.

Two rooms, each program in a process of its own, in turn, the best of three:

- rows of NumPy (100,000, or ROWS), mapped from a file, through a small convolutional network, into `.npy`:
  time and peak memory beside a `tf.function` loop that reads the same file and writes the same by NumPy.
- 512 images through MobileNetV2 at three tensors: time beside a `tf.function` loop over Keras's own pipeline;
  with `--ray`, Ray on this machine too.

Then the shares of decoding, computing and writing, each alone, of which the README argues.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

BATCH, IMAGES = 32, 512
QUERIES = ["block_6_expand_relu", "out_relu", "global_average_pooling2d"]


class Figures(NamedTuple):
    """What a program's work took: seconds, those of all processors, and its peak memory in MB."""

    seconds: float
    processor: float
    megabytes: float


def small_network() -> Any:
    """A network of a few convolutions over 16 × 16 × 3, to be fed many rows."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    x = keras.Input((16, 16, 3), name="x")
    y = layers.Conv2D(32, 3, activation="relu", name="first")(x)
    y = layers.Conv2D(64, 3, strides=2, activation="relu", name="maps")(y)
    return keras.Model(x, layers.GlobalAveragePooling2D(name="mean")(y))


def rows_by_kgraph() -> None:
    import keras

    import kgraph

    keras.ops.zeros(1)
    timed(lambda: kgraph.features("small.keras", ["maps", "mean"], "rows.npy", "rows"))


def rows_by_loop() -> None:
    import keras
    import numpy as np
    import tensorflow as tf

    keras.ops.zeros(1)

    def loop() -> None:
        whole = keras.models.load_model("small.keras")
        model = keras.Model(whole.inputs, {name: whole.get_layer(name).output for name in ("maps", "mean")})
        step = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
        data = np.load("rows.npy", mmap_mode="r")
        Path("loop").mkdir(exist_ok=True)
        shapes = {name: (len(data), *tensor.shape[1:]) for name, tensor in model.output.items()}
        files = {
            name: np.lib.format.open_memmap(f"loop/{name}.npy", "w+", "float32", shape)
            for name, shape in shapes.items()
        }
        for at in range(0, len(data), BATCH):
            made = step(np.asarray(data[at : at + BATCH]))
            for name, file in files.items():
                file[at : at + BATCH] = made[name]

    timed(loop)


def images_by_kgraph(engine: str = "local") -> None:
    import keras

    import kgraph

    keras.ops.zeros(1)
    preprocess = "keras.applications.mobilenet_v2"
    timed(
        lambda: kgraph.features(
            "mobilenet.keras", QUERIES, "images", f"images_{engine}", preprocess=preprocess, engine=engine
        )
    )


def images_by_loop() -> None:
    import keras
    import numpy as np
    import tensorflow as tf

    keras.ops.zeros(1)

    def loop() -> None:
        whole = keras.models.load_model("mobilenet.keras")
        model = keras.Model(whole.inputs, {name: whole.get_layer(name).output for name in QUERIES})
        step = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
        data = pipeline().map(keras.applications.mobilenet_v2.preprocess_input).prefetch(2)
        Path("image_loop").mkdir(exist_ok=True)
        files = {
            name: np.lib.format.open_memmap(
                f"image_loop/{name}.npy", "w+", "float32", (IMAGES, *tensor.shape[1:])
            )
            for name, tensor in model.output.items()
        }
        for number, batch in enumerate(data):
            made = step(batch)
            for name, file in files.items():
                file[number * BATCH : (number + 1) * BATCH] = made[name]

    timed(loop)


def pipeline() -> Any:
    import keras

    return keras.utils.image_dataset_from_directory(
        "images", labels=None, shuffle=False, image_size=(224, 224), batch_size=BATCH, verbose=False
    )


def timed(work: Callable[[], object]) -> None:
    """None; prints the seconds that the work took, the processors' too, and this process's peak memory."""
    begun_at, used = time.perf_counter(), time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(time.perf_counter() - begun_at, time.process_time() - used, peak)


def shares() -> None:
    """None; prints what decoding, computing and writing take alone, in milliseconds an image."""
    import keras
    import numpy as np

    import kgraph

    whole = keras.models.load_model("mobilenet.keras")
    for _ in range(2):
        begun_at = time.perf_counter()
        batches = [batch.numpy() for batch in pipeline()]
        decode = time.perf_counter() - begun_at
    data = np.concatenate(batches)
    kgraph.features(whole, QUERIES, data[:BATCH])
    begun_at = time.perf_counter()
    made = kgraph.features(whole, QUERIES, data)
    compute = time.perf_counter() - begun_at
    assert made is not None
    told = [f"decode {decode / IMAGES * 1e3:.2f}", f"compute {compute / IMAGES * 1e3:.2f}"]
    from kgraph.inference.npy_folder import NpyFolder
    from kgraph.inference.outputs import Spec
    from kgraph.inference.zarr_store import ZarrStore

    specs = {key: Spec(key, array.shape[1:], "float32") for key, array in made.items()}
    for name, store in (("npy", NpyFolder(Path("w"))), ("zarr", ZarrStore(Path("w.zarr")))):
        begun_at = time.perf_counter()
        store.begin(specs, BATCH, {}, IMAGES)
        for at in range(0, IMAGES, BATCH):
            store.append({key: array[at : at + BATCH] for key, array in made.items()}, [""] * BATCH)
        told.append(f"write {name} {(time.perf_counter() - begun_at) / IMAGES * 1e3:.2f}")
    size = sum(array.nbytes for array in made.values()) / IMAGES / 1e3
    print(f"ms an image, each alone: {', '.join(told)}; {size:,.0f} kB an image")


def measure(name: str, times: int = 3) -> Figures:
    """The best figures of some runs of a function of this file, each in a process of its own."""
    found = []
    for _ in range(times):
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(Figures(*map(float, done.stdout.split()[-3:])))
        for left in ("rows", "images_local", "images_ray"):
            subprocess.run(["rm", "-rf", left], check=True)
    return Figures(*map(min, zip(*found, strict=True)))


def compare(ours: str, bare: str) -> tuple[float, float]:
    """How many times the bare loop's seconds, and how many MB more, with a line printed for both."""
    theirs, mine = measure(bare), measure(ours)
    times, more = mine.seconds / theirs.seconds, mine.megabytes - theirs.megabytes
    for name, took in ((ours, mine), (bare, theirs)):
        print(f"{name}: {took.seconds:.2f} s, {took.processor:.2f} s of processors, {took.megabytes:.0f} MB")
    used = mine.processor / theirs.processor
    print(f"  {times:.3f} times the time, {used:.3f} times the processors', {more:+.0f} MB", flush=True)
    return times, more


def prepare(rows: int) -> None:
    """None; makes the models and the data in the current folder."""
    import keras
    import numpy as np

    sys.path.insert(0, str(Path(__file__).parent.parent))
    from helpers.feature_data import draw_images, mobilenet

    small_network().save("small.keras")
    data = np.lib.format.open_memmap("rows.npy", "w+", "float32", (rows, 16, 16, 3))
    random = np.random.default_rng(0)
    for at in range(0, rows, 1000):
        data[at : at + 1000] = random.random(data[at : at + 1000].shape, dtype="float32")
    draw_images(Path("images"), IMAGES, (240, 320))
    mobilenet(224).save("mobilenet.keras")
    del keras


def main(rows: int, with_ray: bool) -> None:
    """None; prints all figures."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run([sys.executable, __file__, "prepare", str(rows)], check=True)
        print(f"{os.cpu_count()} cores; {rows:,} rows of 16 × 16 × 3; {IMAGES} images; batches of {BATCH}")
        compare("rows_by_kgraph", "rows_by_loop")
        compare("images_by_kgraph", "images_by_loop")
        if with_ray:
            figures = measure("images_by_ray", times=1)
            print(f"images_by_ray: {figures.seconds:.2f} s with Ray's start, one actor", flush=True)
        subprocess.run([sys.executable, __file__, "shares"], check=True)
        os.chdir("/")


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["prepare"]:
        prepare(int(words[1]))
    elif words[:1] == ["images_by_ray"]:
        images_by_kgraph("ray")
    elif words and words[0] in globals():
        globals()[words[0]]()
    else:
        main(next((int(word) for word in words if word.isdecimal()), 100_000), "--ray" in words)
