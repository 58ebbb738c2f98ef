"""Changes of an HDF5 file by HDF5 itself: attributes, datasets, links, groups."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np
from fuzz.mutations.json_trees import mutate_json

NAMES = (
    "x", "a\x1b[31m", "é" * 100, "n" * 5000, "%2F", ".", "vars", "layers", "model_weights",
    "top_level_model_weights", "0", "layer_names", "weight_names", "model_config", "keras_version",
    "backend", "layer_names0", "weight_names0", "\u202eabc", "a b", "optimizer",
    "_layer_checkpoint_dependencies",
)  # fmt: skip
COMPOUND = np.dtype([("a", "i4"), ("b", "S3")])
VALUES: tuple[Callable[[], Any], ...] = (
    lambda: 7, lambda: 1.5, lambda: True, lambda: "text", lambda: b"\xff\xfe", lambda: "", lambda: "{}",
    lambda: "[1]", lambda: np.zeros(3), lambda: np.zeros((0,), "S1"), lambda: np.array([b"a", b"\xff"]),
    lambda: np.zeros(7_000), lambda: np.array([b"x" * 30] * 2000), lambda: np.zeros((2, 2), "S4"), lambda:
    np.zeros(2, COMPOUND), lambda: np.array(["a", "b"], h5py.string_dtype()), lambda: np.void(b"abc"),
    lambda: h5py.Empty("f4"), lambda: h5py.Empty("S5"), lambda: np.array([b"../x", b"/", b"a/b", b"."]),
    lambda: 10**18, lambda: np.complex64(1j),
)  # fmt: skip


def mutate_hdf5(chance: Random, data: bytes) -> tuple[bytes, str]:
    """Another file, and what was done to it."""
    out, done = io.BytesIO(data), []
    with h5py.File(out, "r+") as file:
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            change = chance.choice(CHANGES)
            try:
                change(chance, file)
                done.append(change.__name__)
            except (
                KeyError,
                IndexError,
                ValueError,
                TypeError,
                RuntimeError,
                OSError,
                AttributeError,
                MemoryError,
            ):
                done.append(f"{change.__name__} (nothing to do)")
    return out.getvalue(), ", ".join(done)


def _objects(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visit(found.append)
    return found


def _pick(chance: Random, file: h5py.File, kind: type = object) -> Any:
    return chance.choice([file[name] for name in ("/", *_objects(file)) if isinstance(file[name], kind)])


def _dataset(chance: Random, file: h5py.File) -> Any:
    return _pick(chance, file, h5py.Dataset)


def _group(chance: Random, file: h5py.File) -> Any:
    return _pick(chance, file, h5py.Group)


def _attribute(chance: Random, file: h5py.File) -> tuple[Any, str]:
    holders = [file[name] for name in ("/", *_objects(file)) if len(file[name].attrs)]
    holder = chance.choice(holders)
    return holder, chance.choice(list(holder.attrs))


def change_config(chance: Random, file: h5py.File) -> None:
    text = file.attrs["model_config"]
    text = text.encode() if isinstance(text, str) else text
    changed, _ = mutate_json(chance, text)
    file.attrs["model_config"] = changed if len(changed) < 64_000 else changed.decode("utf-8", "replace")


def delete_attribute(chance: Random, file: h5py.File) -> None:
    holder, name = _attribute(chance, file)
    del holder.attrs[name]


def retype_attribute(chance: Random, file: h5py.File) -> None:
    holder, name = _attribute(chance, file)
    holder.attrs[name] = chance.choice(VALUES)()


def rename_attribute(chance: Random, file: h5py.File) -> None:
    holder, name = _attribute(chance, file)
    holder.attrs[chance.choice(NAMES)] = holder.attrs[name]
    del holder.attrs[name]


def add_attribute(chance: Random, file: h5py.File) -> None:
    _pick(chance, file).attrs[chance.choice(NAMES)] = chance.choice(VALUES)()


def refer_in_attribute(chance: Random, file: h5py.File) -> None:
    holder, name = _attribute(chance, file)
    holder.attrs[name] = np.array([_pick(chance, file).ref], h5py.ref_dtype)


def change_names(chance: Random, file: h5py.File) -> None:
    """The lists of layers and weights: some doubled, lost, odd, or in another order."""
    holder, name = _attribute(chance, file)
    names = list(holder.attrs[name])
    index = chance.randrange(len(names))
    change = chance.choice(("double", "drop", "odd", "shuffle"))
    if change == "double":
        names.append(names[index])
    elif change == "drop":
        del names[index]
    elif change == "odd":
        names[index] = chance.choice((b"ghost", b"", b"\xff", b"../x", b"a/b", names[0]))
    else:
        chance.shuffle(names)
    holder.attrs[name] = np.array([n.encode() if isinstance(n, str) else n for n in names])


def delete_object(chance: Random, file: h5py.File) -> None:
    del file[chance.choice(_objects(file))]


def move_object(chance: Random, file: h5py.File) -> None:
    file.move(chance.choice(_objects(file)), f"{_group(chance, file).name}/{chance.choice(NAMES)}")


def copy_object(chance: Random, file: h5py.File) -> None:
    file.copy(chance.choice(_objects(file)), _group(chance, file), chance.choice(NAMES))


def link_softly(chance: Random, file: h5py.File) -> None:
    place = _free(chance, file)
    file[place] = h5py.SoftLink(chance.choice((place, "/", "/ghost", *_objects(file)[:20])))


def link_outside(chance: Random, file: h5py.File) -> None:
    target = chance.choice(("../outside.h5", "/etc/passwd", "m.h5", "/dev/zero", "m.keras"))
    file[_free(chance, file)] = h5py.ExternalLink(target, chance.choice(("/", "/layers", "/x")))


def link_hard(chance: Random, file: h5py.File) -> None:
    """Cycles too, where it is a group around."""
    target = _pick(chance, file)
    file[_free(chance, file)] = target


def _free(chance: Random, file: h5py.File) -> str:
    """A place where nothing is, perhaps since it was taken away."""
    name: str = chance.choice(_objects(file))
    if chance.random() < 0.6:
        del file[name]
        return name
    return f"{_group(chance, file).name}/{chance.choice(NAMES)}"


def _replace(file: h5py.File, name: str, **options: Any) -> None:
    del file[name]
    file.create_dataset(name, **options)


def reshape_dataset(chance: Random, file: h5py.File) -> None:
    shape = chance.choice(((), (0,), (1,), (3, 0), (2,) * 32, (7, 7), (1, 1, 1, 1, 1)))
    _replace(file, _dataset(chance, file).name, shape=shape, dtype="f4")


def inflate_dataset(chance: Random, file: h5py.File) -> None:
    shape = chance.choice(((2**40,), (2**31, 2**31), (10**6, 10**6)))
    _replace(file, _dataset(chance, file).name, shape=shape, dtype="f4", chunks=True)


def retype_dataset(chance: Random, file: h5py.File) -> None:
    dtypes = (
        COMPOUND,
        h5py.ref_dtype,
        h5py.regionref_dtype,
        "V5",
        "S7",
        "?",
        "c8",
        "f2",
        "f8",
        "i8",
        "u1",
        ">f4",
    )
    more = (
        h5py.string_dtype(),
        h5py.vlen_dtype("f4"),
        h5py.enum_dtype({"a": 1, "b": 2}),
        np.dtype(("f4", (2,))),
    )
    _replace(
        file,
        _dataset(chance, file).name,
        shape=chance.choice(((), (2,), (3, 4))),
        dtype=chance.choice((*dtypes, *more)),
    )


def pack_dataset(chance: Random, file: h5py.File) -> None:
    old = _dataset(chance, file)
    name, values = old.name, old[()]
    ways = ({"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}, {"fletcher32": True})
    more = ({"maxshape": (None,) * values.ndim}, {"chunks": True}, {"scaleoffset": 4}, {"fillvalue": 9})
    _replace(file, name, data=values, **chance.choice((*ways, *more)))


def bomb_dataset(chance: Random, file: h5py.File) -> None:
    """Much data that packs well."""
    size = chance.choice((10**6, 2 * 10**7))
    _replace(file, _dataset(chance, file).name, data=np.zeros(size, "f4"), compression="gzip")


def lend_dataset(chance: Random, file: h5py.File) -> None:
    """A dataset whose values lie elsewhere."""
    name = _dataset(chance, file).name
    if chance.random() < 0.5:
        _replace(file, name, shape=(4,), dtype="f4", external=[("/etc/passwd", 0, 16)])
        return
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("../outside.h5", "x", (4,))
    del file[name]
    file.create_virtual_dataset(name, layout)


def swap_kind(chance: Random, file: h5py.File) -> None:
    """A group where a dataset was, or the reverse."""
    name = chance.choice(_objects(file))
    if isinstance(file[name], h5py.Group):
        _replace(file, name, data=np.zeros(2, "f4"))
    else:
        del file[name]
        file.create_group(name)


def grow_groups(chance: Random, file: h5py.File) -> None:
    group, count = _group(chance, file), chance.choice((3, 100, 300))
    is_deep = chance.random() < 0.5
    for number in range(count):
        inner = group.create_group(f"g{number}")
        group = inner if is_deep else group


CHANGES: tuple[Callable[[Random, h5py.File], None], ...] = (
    change_config, change_config, change_config, delete_attribute, retype_attribute, retype_attribute,
    rename_attribute, add_attribute, refer_in_attribute, change_names, change_names, delete_object,
    move_object, copy_object, link_softly, link_outside, link_hard, reshape_dataset, inflate_dataset,
    retype_dataset, retype_dataset, pack_dataset, bomb_dataset, lend_dataset, swap_kind, grow_groups,
)  # fmt: skip
