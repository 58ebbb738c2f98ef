"""TensorFlow.js layers models: `model.json`, with the config, and the names of all weights.

Edge module: opens the file. It tells where in the `.bin` files beside it the weights' values are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from kgraph.errors import ConfigError, NoGraphError, UnsafeError
from kgraph.json_checks import (
    check_list,
    check_object,
    check_object_or_none,
    check_shape_or_none,
    check_text,
    parse_json,
)
from kgraph.sizes import BYTES
from kgraph.sources.containers.keras_zip import mentions, read_object, refuse_link, refuse_values
from kgraph.sources.saved import Array, Saved, StoredWeight
from kgraph.sources.weights.values import Values

TOPOLOGY = "modelTopology"


def has_topology(path: Path) -> bool:
    """Whether a JSON file mentions what TensorFlow.js calls a model's config."""
    return mentions(path, f'"{TOPOLOGY}"'.encode())


def read_tfjs(path: Path, values: Values) -> Saved:
    """What a TensorFlow.js model holds; weights in one list, by name (converter 0.8-4.x; corpus: nsfwjs)."""
    refuse_values(path, values)
    data = read_object(path)
    topology = check_object(data.get(TOPOLOGY), f"`{TOPOLOGY}`", TOPOLOGY)
    if "node" in topology:
        raise NoGraphError(
            str(path),
            "TensorFlow.js graph model",
            "it holds the operations of TensorFlow, no layers",
            hint="convert the Keras model with `--output_format=tfjs_layers_model`",
        )
    config = topology.get("model_config", topology)
    config = parse_json(config, str(path)) if isinstance(config, str) else config
    config = dict(check_object(config, "`model_config`", f"{TOPOLOGY}.model_config"))
    if isinstance(topology.get("training_config"), dict):
        config.setdefault("compile_config", topology["training_config"])
    version = topology.get("keras_version")
    manifest = data.get("weightsManifest")
    stored = None if manifest is None else list(_manifest_weights(manifest))
    return Saved(config, {"keras_version": version}, None, stored)


def _manifest_weights(manifest: Any) -> Iterator[StoredWeight]:
    for number, group in enumerate(check_list(manifest, "`weightsManifest`", "weightsManifest")):
        where = f"weightsManifest[{number}].weights"
        held = check_object(group, "a group of weights", where).get("weights")
        for index, weight in enumerate(check_list(held, "`weights`", where)):
            yield _manifest_weight(check_object(weight, "a weight", f"{where}[{index}]"), f"{where}[{index}]")


def _manifest_weight(data: Mapping[str, Any], where: str) -> StoredWeight:
    """A weight; if it is stored quantised, with the dtype that it is made into again."""
    name = check_text(data.get("name"), "the name of a weight", f"{where}.name")
    shape = check_shape_or_none(data.get("shape"), "`shape`", f"{where}.shape") or ()
    return StoredWeight(name, Array(name, shape, check_text(data.get("dtype"), "`dtype`", f"{where}.dtype")))


@dataclass(frozen=True)
class ShardedWeight:
    """Where a weight's bytes are: files, and from which byte on how many in each; and what they are.

    Stored whole numbers `q` stand for `q · scale + least`; `scale` is None where they are the weight's own.
    """

    ranges: tuple[tuple[Path, int, int], ...]
    dtype: str
    scale: float | None
    least: float


def weight_ranges(path: Path) -> dict[str, ShardedWeight]:
    """Where the weights of a model are, by name (converter 0.8-4.x, `write_weights.py`).

    Raises `ConfigError` for a shard that is missing, or that is smaller than what is to be in it.
    """
    found = {}
    for number, group in enumerate(read_object(path).get("weightsManifest") or []):
        where = f"weightsManifest[{number}]"
        shards = [_shard(path, name, where) for name in check_list(group.get("paths"), "`paths`", where)]
        at = 0
        for index, weight in enumerate(check_list(group.get("weights"), "`weights`", where)):
            here = f"{where}.weights[{index}]"
            held = _manifest_weight(check_object(weight, "a weight", here), here)
            stored = check_object_or_none(weight.get("quantization"), "`quantization`", here) or {}
            dtype = check_text(stored.get("dtype", held.array.dtype), "`dtype`", here)
            size = prod(d or 0 for d in held.array.shape) * BYTES.get(dtype, 0)
            scale, least = stored.get("scale"), stored.get("min", 0)
            if not all(isinstance(value, int | float | None) for value in (scale, least)):
                raise ConfigError("a `quantization` that is no scale and minimum", here)
            found[held.name] = ShardedWeight(
                tuple(_ranges(shards, at, size, here)), dtype, scale, float(least)
            )
            at += size
    return found


def _shard(path: Path, name: Any, where: str) -> tuple[Path, int]:
    """A file of weights and its size; it must stand beside the model."""
    text = check_text(name, "a shard", where)
    if Path(text).name != text:
        raise UnsafeError(f"`{path}` names a shard in another folder, `{text}`")
    shard = path.parent / text
    refuse_link(shard)
    if not shard.is_file():
        raise ConfigError(f"`{path}` names a shard `{text}`, which is not beside it", "", hint="fetch it too")
    return shard, shard.stat().st_size


def _ranges(
    shards: list[tuple[Path, int]], start: int, size: int, where: str
) -> Iterator[tuple[Path, int, int]]:
    """The parts of the shards, one behind the other, that are the bytes from `start` on."""
    for shard, length in shards:
        if size and start < length:
            count = min(size, length - start)
            yield shard, start, count
            start, size = start + count, size - count
        start = max(0, start - length)
    if size:
        raise ConfigError("a weight that ends after its shards", where, hint="fetch them again, whole")
