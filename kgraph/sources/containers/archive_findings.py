"""Members of `.keras` archives and folders that no Keras wrote. Edge module: looks at folders."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISLNK

from kgraph.reports.audit import Finding
from kgraph.reports.audit_kinds import KINDS
from kgraph.sources.containers.keras_zip import WEIGHTS

# Names of members: of pickles, and of what may hold some.
PICKLED = re.compile(r"\.(pkl|pickle|p|joblib|dill|pt|pth|npy|npz)$", re.IGNORECASE)
# A member that unpacks to so many bytes, and so many times what it stores (Keras 3.15, `saving_lib.py`).
LARGE, INFLATION = 1 << 28, 1000
FILES = 10_000  # in a folder; no model has as many


def archive_findings(archive: zipfile.ZipFile) -> Iterator[Finding]:
    """What is odd about the members of an archive, by their names and sizes."""
    members = archive.infolist()
    for name, times in Counter(member.filename for member in members).items():
        if times > 1:
            yield _finding("double member", name, f"{times} times")
    for member in members:
        name = member.orig_filename  # as it is stored, before `zipfile` cuts and turns it
        if _leads_out(name) or S_ISLNK(member.external_attr >> 16):
            yield _finding("outside member", name, "a link" if S_ISLNK(member.external_attr >> 16) else name)
        if member.flag_bits & 1:
            yield _finding("encrypted member", name, "needs a password")
        if member.file_size > LARGE and member.file_size > INFLATION * member.compress_size:
            sizes = f"{member.compress_size:,} bytes to {member.file_size:,}"
            yield _finding("inflation", name, sizes)
        yield from _find_pickle(name)


def folder_findings(folder: Path) -> Iterator[Finding]:
    """What is odd about the files of an unpacked archive: links, and pickles."""
    count = 0
    for place, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            count += 1
            path = Path(place) / name
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield _finding("outside member", inside, os.readlink(path))
            yield from _find_pickle(inside)
        if count > FILES:
            return


def _leads_out(name: str) -> bool:
    """Whether a name is absolute, or climbs out of where it is unpacked, on any system.

    >>> [_leads_out(name) for name in ("a/../b", "/a", "C:a", "a\\\\b", "assets/a..txt")]
    [True, True, True, True, False]
    """
    steps = re.split(r"[/\\]", name)
    return ".." in steps or name.startswith(("/", "\\")) or "\\" in name or bool(re.match(r"[A-Za-z]:", name))


def _find_pickle(name: str) -> Iterator[Finding]:
    if PICKLED.search(name) and name != WEIGHTS:
        yield _finding("pickled member", name, name.rpartition("/")[2])


def _finding(kind: str, where: str, what: str) -> Finding:
    return Finding(kind, "", where, what, KINDS[kind].stopped)
