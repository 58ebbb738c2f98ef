"""Small files that tests make: the demo with a member or its config changed."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from helpers.places import DEMO


def demo(folder: Path, **members: bytes) -> Path:
    """A copy of the demo, deflated, with members replaced: `config_json=b"…"`."""
    path = folder / "m.keras"
    with zipfile.ZipFile(DEMO) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, members.get(name.replace(".", "_"), source.read(name)))
    return path


def demo_config() -> Any:
    with zipfile.ZipFile(DEMO) as archive:
        return json.loads(archive.read("config.json"))


def config_file(folder: Path, config: object) -> Path:
    path = folder / "m.json"
    path.write_text(json.dumps(config))
    return path


DELETE: Any = object()
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 7, 10**6, 10**30, 10**4000, 1.5, "", "x", "0", "\ud800", "a\x1b[31mb\n", [], [1],
    [None], {}, {"class_name": "X", "config": {}}, {"class_name": 5, "config": 5}, [["a", 0, 0]],
    "keras.src.ops.numpy", DELETE,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutants(whole: Any, *, seed: int | str, count: int) -> Iterator[tuple[str, Any]]:
    """Copies of JSON data, each with one value changed to an odd one, or left out; and what was changed."""
    chance, spots = random.Random(seed), list(places(whole))
    for _ in range(count):
        changed, place, odd = deepcopy(whole), chance.choice(spots), chance.choice(ODD)
        holder = changed
        for key in place[:-1]:
            holder = holder[key]
        if odd is DELETE:
            del holder[place[-1]]
        else:
            holder[place[-1]] = odd
        yield f"{'.'.join(map(str, place))} = {str(odd)[:60]!r}", changed
