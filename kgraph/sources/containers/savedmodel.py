"""SavedModel folders of Keras 2 (`model.save('folder')`, TensorFlow 2.x), read without TensorFlow.

Edge module: opens files. The config is JSON in `keras_metadata.pb` (2.5 and later) or in the first
object of `saved_model.pb` (until 2.4); each layer's variables, in Keras's order, with name, shape and dtype,
are objects of `saved_model.pb` (`saved_object_graph.proto`), the same as in the checkpoint's index.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from kgraph.errors import REMAKE, ConfigError, FormatError, NoGraphError, UnsafeError
from kgraph.json_checks import parse_json
from kgraph.sources.containers.keras_zip import read_text, refuse_link, refuse_values
from kgraph.sources.containers.protobuf import (
    BYTES,
    DTYPES,
    VARINT,
    Message,
    bytes_field,
    decode_message,
    decode_varint,
    field_values,
    number_field,
)
from kgraph.sources.saved import Array, Saved, StoredWeight
from kgraph.sources.weights.values import Values

MODEL, METADATA, INDEX = "saved_model.pb", "keras_metadata.pb", "variables/variables.index"

# Numbers of fields, from TensorFlow's `.proto` files (2.4-2.21).
META_GRAPHS, OBJECT_GRAPH, NODES = 2, 7, 1  # SavedModel, MetaGraphDef, SavedObjectGraph
CHILDREN, USER_OBJECT, VARIABLE = 1, 4, 7  # SavedObject
NODE_ID, LOCAL_NAME = 1, 2  # a child
DTYPE, SHAPE, NAME = 1, 2, 6  # SavedVariable
METADATA_NODES, METADATA_ID, METADATA_TEXT, OBJECT_TEXT = 1, 2, 5, 3  # SavedMetadata and its objects
LARGEST, FIELDS = 1 << 27, 10_000  # bytes of all objects, and fields around them


def is_savedmodel(path: Path) -> bool:
    """Whether a folder is a SavedModel, of whatever program."""
    return (path / MODEL).is_file()


def read_savedmodel(path: Path, values: Values) -> Saved:
    """What a SavedModel folder of a Keras model holds; `NoGraphError` if it is of no Keras model."""
    refuse_values(path, values)
    for name in (MODEL, METADATA):
        refuse_link(path / name)
    try:
        nodes = _Objects(_read_objects(path / MODEL))
        texts = _metadata_texts(path, nodes)
        root = parse_json(texts[0], str(path)) if 0 in texts else None
        root = root if isinstance(root, dict) else {}
        config = root.get("model_config", root)
        if not (isinstance(config, dict) and "config" in config):
            raise _no_keras_error(path)
        names = {i: parse_json(text, str(path)).get("name") for i, text in texts.items()}
        stored = _variables_by_layer(nodes, names) if (path / INDEX).is_file() else None
    except (IndexError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            str(path), f"begins as a SavedModel but is cut off or damaged ({error})", hint=REMAKE
        ) from error
    config = {**config, "compile_config": root.get("training_config")}
    return Saved(config, {"keras_version": root.get("keras_version")}, None, stored)


class _Objects:
    """The objects of a SavedModel, each decoded when it is first asked for."""

    def __init__(self, graph: bytes) -> None:
        self._raw = list(field_values(graph, NODES))
        self._known: dict[int, Message] = {}

    def __len__(self) -> int:
        return len(self._raw)

    def __getitem__(self, number: int) -> Message:
        if number not in self._known:
            self._known[number] = decode_message(self._raw[number])
        return self._known[number]


def _no_keras_error(path: Path) -> NoGraphError:
    return NoGraphError(
        str(path),
        "SavedModel",
        "it holds TensorFlow functions, not a layer graph",
        hint="save the Keras model with `model.save('model.keras')`; `model.export` keeps functions only",
    )


def _read_objects(path: Path) -> bytes:
    """The objects of the first of the graphs that has any; of a large file no more is read.

    Not through a map of the file in memory, which would end the process where the file is cut short
    meanwhile.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise ConfigError(f"`{path}` is empty", "")
        for start, stop in _field_ranges(file, 0, size, META_GRAPHS):
            for first, last in _field_ranges(file, start, stop, OBJECT_GRAPH):
                if last - first > LARGEST:
                    raise UnsafeError(
                        f"`{path}` holds objects of {last - first:,} bytes, more than any model's"
                    )
                file.seek(first)
                return file.read(last - first)
    return b""


def _field_ranges(file: BinaryIO, start: int, stop: int, number: int) -> Iterator[tuple[int, int]]:
    """Where the values of a field lie, in the part of a file that is one message."""
    for _ in range(FIELDS):
        if start >= stop:
            return
        file.seek(start)
        head = memoryview(file.read(20))
        key, at = decode_varint(head, 0)
        if key & 7 == VARINT:
            start += decode_varint(head, at)[1]
            continue
        if key & 7 != BYTES:
            raise ValueError(f"a field of kind {key & 7}")
        size, at = decode_varint(head, at)
        start, first = start + at + size, start + at
        if start > stop:
            raise ValueError("a field longer than the file")
        if key >> 3 == number:
            yield first, start
    raise ValueError(f"more than {FIELDS:,} fields")


def _metadata_texts(path: Path, nodes: _Objects) -> dict[int, bytes]:
    """The JSON text that Keras wrote about each object, by the object's number."""
    if (path / METADATA).is_file():
        found = [decode_message(entry) for entry in field_values(read_text(path / METADATA), METADATA_NODES)]
        return {number_field(entry, METADATA_ID): bytes_field(entry, METADATA_TEXT) for entry in found}
    objects = (
        (i, decode_message(user)) for i in range(len(nodes)) for user in field_values(nodes[i], USER_OBJECT)
    )
    texts = ((i, bytes_field(user, OBJECT_TEXT)) for i, user in objects)
    return {i: text for i, text in texts if text.startswith(b"{")}


def _variables_by_layer(nodes: _Objects, names: Mapping[int, Any]) -> dict[str, tuple[StoredWeight, ...]]:
    """The variables of each top layer by its name: the children `layer-0`, … of the first object."""
    layers = [
        index for name, index in _child_objects(nodes[0]) if name.startswith("layer-") and index in names
    ]
    return {str(names[index]): tuple(_layer_variables(nodes, index)) for index in layers}


def _layer_variables(nodes: _Objects, index: int) -> Iterator[StoredWeight]:
    """The variables that an object's list `variables` holds.

    Layers of preprocessing have no such list (Normalization of tf_keras 2.21): then those that it holds
    itself, each once, however many names it has. The key of each array is the number of its object, and its
    name: both are needed to find its values, as layers of two nested models may have one name.
    """
    children = _child_objects(nodes[index])
    lists = [child for name, child in children if name == "variables"]
    held = [child for which in lists for _, child in _child_objects(nodes[which])]
    for child in held if lists else dict.fromkeys(child for _, child in children):
        for variable in map(decode_message, field_values(nodes[child], VARIABLE)):
            name = bytes_field(variable, NAME).decode()
            sizes = [
                number_field(decode_message(dim), 1)
                for s in field_values(variable, SHAPE)
                for dim in field_values(decode_message(s), 2)
            ]
            dtype = DTYPES.get(number_field(variable, DTYPE), "?")
            if max(sizes, default=0) < 1 << 63:  # else it is -1, a size that changes; Keras 2 counts none
                yield StoredWeight(name, Array(f"{child}/{name}", tuple(sizes), dtype))


def _child_objects(node: Message) -> list[tuple[str, int]]:
    children = [decode_message(child) for child in field_values(node, CHILDREN)]
    return [(bytes_field(child, LOCAL_NAME).decode(), number_field(child, NODE_ID)) for child in children]
