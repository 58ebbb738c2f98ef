"""What an HDF5 file holds that would lead out of it as weights are read, and the texts of the model in it.

Edge module. HDF5's own code runs in the box (`hdf5_box.py`): the last function here is its job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from kgraph.reports.audit import Finding
from kgraph.reports.audit_kinds import KINDS
from kgraph.sources.containers.hdf5_box import DAMAGE, FilePart, Hdf5Box
from kgraph.sources.containers.hdf5_headers import (
    TEXTS,
    VIRTUAL,
    allow_layers,
    attribute_texts,
    decode_name,
    is_no_number,
    name_damage,
)

# A dataset that claims so many bytes, and so many times what it stores (Keras 3.15, `saving_lib.py`).
CLAIM, EXPANSION = 1 << 32, 1000


@dataclass(frozen=True)
class Hdf5Contents:
    """The texts of a model by attribute, if the file holds any, and what was found."""

    texts: Mapping[str, str]
    findings: tuple[Finding, ...]


def read_hdf5_contents(part: FilePart, name: str, *, member: str = "", layers: int = 0) -> Hdf5Contents:
    """What an HDF5 file holds: `name` is the file for messages, `member` its name in an archive.

    `layers` is how many the model has, if that is known: so much longer may it take.
    """
    with Hdf5Box(f"{__name__}:describe_contents", part, {"name": name}, name=name, layers=layers) as box:
        told = box.answer()[0]
    findings = tuple(
        Finding(kind, member, where, what, KINDS[kind].stopped) for kind, where, what in told["found"]
    )
    return Hdf5Contents(told["texts"], findings)


def describe_contents(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, tuple[()]]:
    """The fields of `Hdf5Contents`, as plain values."""
    import h5py

    name = request["name"]
    with name_damage(f"`{name}` is not a readable HDF5 file"), h5py.File(file, "r") as opened:
        lists = {key: attribute_texts(opened.attrs, key) for key in TEXTS}
        texts = {key: "".join(parts) for key, parts in lists.items() if parts}
        allow_layers(file, texts.get("model_config", ""))
        found = list(_oddities(opened))
    return {"texts": texts, "found": found}, ()


def _oddities(opened: Any) -> Iterator[tuple[str, str, str]]:
    """The kind, path and target of whatever leads out of the file, or is no array of numbers."""
    from h5py import h5d, h5g, h5l, h5o

    hard: dict[bytes, int] = {}
    others: list[bytes] = []

    def visit(raw: bytes, info: Any) -> None:
        if info.type == h5l.TYPE_HARD:
            hard[raw] = info.u
        else:
            others.append(raw)

    opened.id.links.visit(visit, info=True)
    for raw in others:
        yield "link", _spell(raw), _target(opened.id, raw)
    groups = {h5o.get_info(opened.id).addr: "/"}
    for raw, address in hard.items():
        try:
            thing = h5o.open(opened.id, raw)
        except DAMAGE:
            yield "objects", _spell(raw), "what HDF5 cannot open"
            continue
        if isinstance(thing, h5g.GroupID):
            if address in groups:
                yield "loop", _spell(raw), groups[address]
            groups.setdefault(address, _spell(raw))
        elif isinstance(thing, h5d.DatasetID):
            yield from _dataset_oddities(thing, _spell(raw))


def _dataset_oddities(dataset: Any, where: str) -> Iterator[tuple[str, str, str]]:
    layout = dataset.get_create_plist()
    if layout.get_external_count():
        yield "outside values", where, decode_name(layout.get_external(0)[0])
    if layout.get_layout() == VIRTUAL:
        yield "outside values", where, layout.get_virtual_filename(0) if layout.get_virtual_count() else "?"
    if is_no_number(dataset.dtype):
        yield "objects", where, "texts, lists, references or records"
        return
    size, stored = dataset.dtype.itemsize, dataset.get_storage_size()
    for dimension in dataset.shape or ():
        size *= dimension
    if size > CLAIM and size > EXPANSION * stored:
        yield "size claim", where, f"claims {size:,} bytes, stores {stored:,}"


def _target(root: Any, raw: bytes) -> str:
    """Where a link leads, in its file and beyond."""
    from h5py import h5l

    if root.links.get_info(raw).type not in (h5l.TYPE_SOFT, h5l.TYPE_EXTERNAL):
        return "a link of another kind"
    target = root.links.get_val(raw)
    parts = target if isinstance(target, tuple) else (target,)
    return ":".join(map(decode_name, parts))


def _spell(raw: bytes) -> str:
    return f"/{decode_name(raw)}"
