"""`audit`: a saved model → what Keras would run or reach for. Edge module: opens files.

It reads more than the pipeline (`model_file.py`) does: files that this refuses, part by part.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError, ReadError
from kgraph.json_checks import parse_json
from kgraph.reports.audit import Audit, Finding, find_in_config
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.keras_zip import (
    CONFIG,
    DAMAGE,
    HARMLESS_TEXT,
    INFLATION,
    LARGEST,
    METADATA,
    PACKINGS,
    TEXT_INFLATION,
    WEIGHTS,
    open_archive,
    open_member,
    parse_object,
    read_member,
    read_text,
)
from kgraph.sources.containers.refusals import archive_refusal
from kgraph.sources.model_file import ModelFile, open_model_file

# Where a config is in files of each format; a JSON file is nothing else.
PARTS = {
    "hdf5": "model_config", "keras zip": CONFIG, "keras folder": CONFIG, "json": "",
    "tensorflow.js": "model_config", "savedmodel": "keras_metadata.pb",
}  # fmt: skip


def audit(path: str | os.PathLike[str]) -> Audit:
    """What Keras would run or reach for as it loads a file, each with its place; nothing of it is run.

    Takes saved models of all formats that `read` takes, without a graph too, and HDF5 files of weights. What
    cannot be read is told in `Audit.unread`. That nothing is found is no verdict of safety. Raises
    `FormatError` for what is no file of Keras, `ReadError` for what cannot be opened.
    """
    file = open_model_file(Path(path))
    look = _Look(str(path))
    try:
        READERS.get(file.format, _read_by_pipeline)(file, look)
    except OSError as error:
        raise ReadError(f"`{path}` cannot be read ({error.strerror or error})") from error
    return Audit(str(path), file.format, look.version, tuple(look.findings), tuple(look.unread))


def config_findings(file: ModelFile) -> list[Finding]:
    """What the config of a file that was read holds."""
    if "kgraph" in file.saved.config:  # a graph, which Keras does not load
        return []
    return find_in_config(file.saved.config, PARTS[file.format])


def container_findings(file: ModelFile) -> list[Finding]:
    """What is odd about the members of an archive, or the files of an unpacked one, that was read."""
    from kgraph.sources.containers.archive_findings import archive_findings, folder_findings

    if file.format == "keras folder":
        return list(folder_findings(file.path))
    if file.format != "keras zip":
        return []
    with open(file.path, "rb") as opened, open_archive(file.path, opened) as archive:
        return list(archive_findings(archive))


@dataclass
class _Look:
    """What is known of a file so far."""

    path: str
    findings: list[Finding] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    version: str | None = None

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is raised as a part of the file is read is kept, and the next part is looked at."""
        try:
            yield
        except KGraphError as error:
            self.unread.append(str(error))

    def read_weights(self, part: FilePart, layers: int) -> None:
        """Look at the weights of an archive or folder, of a model of so many layers."""
        from kgraph.sources.containers.hdf5_findings import read_hdf5_contents

        contents = read_hdf5_contents(part, self.path, member=WEIGHTS, layers=layers)
        self.findings += contents.findings

    def take_version(self, about: Any) -> None:
        version = about.get("keras_version") if isinstance(about, dict) else None
        if isinstance(version, str):
            self.version = version


def _read_by_pipeline(file: ModelFile, look: _Look) -> None:
    with look.part():
        look.take_version({"keras_version": file.keras_version})
        look.findings += config_findings(file)


def _read_hdf5(file: ModelFile, look: _Look) -> None:
    from kgraph.sources.containers.hdf5_findings import read_hdf5_contents

    with look.part(), open(file.path, "rb") as opened:
        contents = read_hdf5_contents(whole_file(opened), look.path)
        look.take_version(contents.texts)
        look.findings += contents.findings
        for key in ("model_config", "training_config"):
            if key in contents.texts:
                with look.part():
                    config = parse_json(contents.texts[key], f"{look.path}/{key}")
                    if isinstance(config, dict | list):
                        look.findings += find_in_config(config, key)


def _read_zip(file: ModelFile, look: _Look) -> None:
    from kgraph.sources.containers.archive_findings import archive_findings

    try:
        with open(file.path, "rb") as opened, open_archive(file.path, opened) as archive:
            names = set(archive.namelist())
            if CONFIG not in names:
                raise archive_refusal(file.path, names)
            look.findings += archive_findings(archive)
            if METADATA in names:
                with look.part():
                    look.take_version(_parse_member(look, archive, METADATA)[0])
            layers = 0
            with look.part():
                config, layers = _parse_member(look, archive, CONFIG)
                look.findings += find_in_config(config, CONFIG)
            if WEIGHTS in names:
                with look.part():
                    member = _check_member(look, archive, WEIGHTS)
                    most = max(INFLATION * member.compress_size, LARGEST)
                    _check_size(look, WEIGHTS, member.file_size, most)
                    with open_member(opened, archive, WEIGHTS) as part:
                        look.read_weights(part, layers)
    except DAMAGE as error:
        look.unread.append(f"`{look.path}` is a zip archive that is cut off or damaged ({error})")


def _check_member(look: _Look, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The member, if it can be unpacked; the last of those of one name, as Keras reads it."""
    member = archive.getinfo(name)
    if member.flag_bits & 1:
        raise ReadError(f"the `{name}` of `{look.path}` is encrypted")
    if member.compress_type not in PACKINGS:
        raise ReadError(f"the `{name}` of `{look.path}` is packed as no Keras does")
    return member


def _check_size(look: _Look, name: str, size: int, most: int) -> None:
    if size > most:
        raise ReadError(f"the `{name}` of `{look.path}` has more than {most:,} bytes, too many to look at")


def _parse_member(look: _Look, archive: zipfile.ZipFile, name: str) -> tuple[Any, int]:
    """The JSON object in a member, and how many objects of Keras it holds."""
    member = _check_member(look, archive, name)
    most = min(LARGEST, HARMLESS_TEXT + TEXT_INFLATION * member.compress_size)
    _check_size(look, name, member.file_size, most)
    text = read_member(archive, member)
    return parse_object(f"{look.path}/{name}", text, member.compress_size), text.count(b'"class_name"')


def _read_folder(file: ModelFile, look: _Look) -> None:
    from kgraph.sources.containers.archive_findings import folder_findings

    look.findings += folder_findings(file.path)
    layers = 0
    for name in (METADATA, CONFIG, WEIGHTS):
        path = file.path / name
        if path.is_symlink():
            look.unread.append(f"the `{name}` of `{look.path}` is a link to elsewhere")
            continue
        if not path.is_file():
            continue
        if name == WEIGHTS:
            with look.part(), open(path, "rb") as opened:
                look.read_weights(whole_file(opened), layers)
            continue
        with look.part():
            text = read_text(path)
            value = parse_object(path, text)
            if name == METADATA:
                look.take_version(value)
            else:
                layers = text.count(b'"class_name"')
                look.findings += find_in_config(value, CONFIG)


READERS: dict[str, Callable[[ModelFile, _Look], None]] = {
    "hdf5": _read_hdf5,
    "keras zip": _read_zip,
    "keras folder": _read_folder,
}
