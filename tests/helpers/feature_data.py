"""For features, of our own making: images drawn by NumPy, networks whose numbers are worth comparing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

QUERIES = ["low=block_6_expand_relu", "out_relu", "block_16_project_BN"]
SIZE = 96
PREPROCESS = "keras.applications.mobilenet_v2"


def mobilenet(size: int = SIZE) -> Any:
    """MobileNetV2 with random weights, and statistics such that its features do not fade away."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None, input_shape=(size, size, 3))
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            mean, variance = layer.moving_mean, layer.moving_variance
            mean.assign(random.normal(0, 0.05, mean.shape))
            variance.assign(random.uniform(0.02, 0.1, variance.shape))
    return model


def draw_images(folder: Path, count: int, size: tuple[int, int] = (64, 80)) -> None:
    """None; draws so many small pictures, waves of colour with noise, in folders of up to a hundred."""
    from PIL import Image

    random = np.random.default_rng(1)
    rows, columns = np.mgrid[: size[0], : size[1]]
    for number in range(count):
        place = folder / f"kind{number % 3}" / f"{number // 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        phase, wave = random.uniform(0, 6, 3), random.uniform(0.05, 0.4, (2, 3))
        colour = np.sin(rows[..., None] * wave[0] + columns[..., None] * wave[1] + phase)
        pixels = np.clip(colour * 90 + 128 + random.normal(0, 10, colour.shape), 0, 255).astype("uint8")
        suffix = ("png", "jpg", "bmp")[number % 3]
        Image.fromarray(pixels).save(place / f"{number:04d}.{suffix}")


def small_model(inputs: int = 1) -> Any:
    """A few Dense layers on vectors of four, with inputs `x`, `y`, …; `hidden`, and `summary` of all."""
    import keras

    keras.utils.set_random_seed(1)
    ends = [keras.Input((4,), name=name) for name in "xyz"[:inputs]]
    hidden = [
        keras.layers.Dense(6, activation="tanh", name=f"hidden{i or ''}")(end) for i, end in enumerate(ends)
    ]
    joined = hidden[0] if inputs == 1 else keras.layers.Concatenate(name="joined")(hidden)
    return keras.Model(ends, keras.layers.Dense(3, name="summary")(joined), name="small")


def photo_model(size: int | None = 24, channels: int = 3) -> Any:
    """A model of pictures without weights: `same`, what it is given, and `mean` of that over space."""
    import keras

    x = keras.Input((size, size, channels), name="photo")
    return keras.Model(
        x, keras.layers.GlobalAveragePooling2D(name="mean")(keras.layers.ReLU(name="same")(x)), name="photos"
    )


def files_below(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by its path in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def read_features(out: Path) -> dict[str, Any]:
    """The arrays of written features by their stored names, and `row`, whatever the form."""
    if out.suffix == ".npz":
        with np.load(out) as archive:
            return {name: archive[name] for name in archive.files if name != "kgraph"}
    if out.suffix == ".zarr":
        import zarr

        group = zarr.open_group(out, mode="r")
        return {name: group[name][:] for name in group.array_keys()}  # type: ignore[index]
    if out.suffix == ".parquet":
        return _read_parquet(out)
    import json

    arrays: dict[str, Any] = {path.stem: np.load(path) for path in out.glob("*.npy")}
    return arrays | {"row": np.array(json.loads((out / "row.json").read_text()))}


def _read_parquet(out: Path) -> dict[str, Any]:
    import json

    import pyarrow.parquet as pq

    table = pq.read_table(out)
    arrays: dict[str, Any] = {}
    for field in table.schema:
        column = table[field.name].combine_chunks()
        if field.metadata:
            shape = json.loads(field.metadata[b"shape"])
            values = column.flatten() if shape else column
            arrays[field.name] = values.to_numpy().reshape(table.num_rows, *shape)
        else:
            arrays[field.name] = np.array(column.to_pylist())
    return arrays
