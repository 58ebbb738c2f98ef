"""A folder of images as rows: sorted by path, decoded and sized as Keras does it, the undecodable told.

As `keras.utils.image_dataset_from_directory` does (Keras 3.15, `utils/image_dataset_utils.py`): TensorFlow's
`decode_image`, bilinear `resize`, float32 from 0 to 255. Edge module: reads files, imports TensorFlow.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.inference.rows import Batch, Input

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")  # those of Keras 3.15
CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class ImageRows:
    """The images of a folder; `others` counts the files in it that are none."""

    folder: Path
    paths: Sequence[str]
    wanted: Input
    others: int = 0
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many images there are, good or bad."""
        return len(self.paths)

    @property
    def where(self) -> str:
        """The folder."""
        return f"`{self.folder}`"

    def name(self, row: int) -> str:
        """The path in the folder."""
        return self.paths[row]

    def batches(self, start: int, size: int, end: int | None = None) -> Iterator[Batch]:
        """So many decodable images at a time, from the row `start` on, decoded side by side."""
        last, at = self.count if end is None else end, start
        if start >= last:
            return
        import tensorflow as tf

        if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
            with suppress(RuntimeError):  # TensorFlow has begun already
                tf.config.set_visible_devices([], "GPU")  # they are the other backend's
        rows, columns, channels, first = _layout(self.wanted)

        def load(row: Any, path: Any) -> Any:
            image = tf.io.decode_image(tf.io.read_file(path), channels=channels, expand_animations=False)
            image = tf.image.resize(image, (rows, columns), method="bilinear")
            if first:
                image = tf.transpose(image, (2, 0, 1))
            return row, tf.ensure_shape(image, self.wanted.shape)

        paths = [str(self.folder / path) for path in self.paths[start:last]]
        images = tf.data.Dataset.from_tensor_slices((range(start, last), paths))
        images = images.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        images = images.ignore_errors(log_warning=False).batch(size)
        for numbers, pixels in images:
            good = numbers.numpy().tolist()
            bad = sorted(set(range(at, good[-1] + 1)).difference(good))
            at = good[-1] + 1
            yield Batch({self.wanted.name: pixels.numpy()}, at, bad)
        if at < last:
            yield Batch({}, last, range(at, last))


def open_images(folder: Path, wanted: Sequence[Input], limit: int | None) -> ImageRows:
    """The images of a folder, at any depth, in the order of their paths in it.

    Raises `KGraphError` for a folder without images, and for a model that takes no images of a known size.
    """
    if len(wanted) != 1:
        names = ", ".join(f"`{one.name}`" for one in wanted)
        raise KGraphError(
            f"the model takes {len(wanted)} inputs, {names}, and `{folder}` holds images for one",
            hint="give arrays by the names of the inputs: a `.npz` file, or a dict in Python",
        )
    _layout(wanted[0])
    found: list[str] = []
    others = 0
    for place, _, files in os.walk(folder, followlinks=True):
        images = [name for name in files if name.lower().endswith(SUFFIXES)]
        others += len(files) - len(images)
        found += [os.path.relpath(os.path.join(place, name), folder) for name in images]
    if not found:
        kinds = ", ".join(SUFFIXES)
        raise KGraphError(
            f"`{folder}` holds no images" + (f", but {others:,} other files" if others else ""),
            hint=f"images are files that end in {kinds}",
        )
    paths = sorted(found)[:limit]
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path}\0{os.stat(folder / path).st_size}\n".encode("utf-8", "surrogateescape"))
    origin = {"kind": "images", "rows": len(paths), "digest": digest.hexdigest(), "limit": limit}
    return ImageRows(folder, paths, wanted[0], others, origin)


def _layout(wanted: Input) -> tuple[int, int, int, bool]:
    """The rows, columns and channels of the images that an input takes, and whether channels stand first."""
    first = len(wanted.shape) == 3 and wanted.shape[0] in CHANNELS and wanted.shape[2] not in CHANNELS
    sizes = (*wanted.shape[1:], wanted.shape[0]) if first else wanted.shape
    if len(sizes) != 3 or sizes[2] not in CHANNELS:
        raise KGraphError(
            f"the input `{wanted.name}` takes {wanted} a row, which is no image of 1, 3 or 4 channels",
            hint="give arrays: `.npy`, `.npz`",
        )
    if sizes[0] is None or sizes[1] is None:
        raise KGraphError(
            f"the input `{wanted.name}` takes images of any size ({wanted}), and rows must be of one",
            hint=f"`--input-shape {wanted.name}=224x224x{sizes[2]}` sets it",
        )
    return sizes[0], sizes[1], sizes[2], first
