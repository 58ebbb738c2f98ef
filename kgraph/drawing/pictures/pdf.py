"""PDF pages as cairo writes them, a file each → one PDF of pages that are exactly of one size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

REFERENCE = re.compile(rb"\b(\d+) 0 (R|obj)\b")
# The first objects of what is written; of each file given, these three are left out.
PAGES, CATALOG, INFO = 1, 2, 3
OWN = (b"/Type /Pages", b"/Type /Catalog", b"/Producer")


def join_pages(files: Sequence[bytes], size: tuple[float, float]) -> bytes:
    """One PDF of the pages of all files, each so many points wide and high.

    The files are of cairo 1.15, whose objects stand one after the other, beneath a table of where; what is
    drawn is not touched. The date of creation is 1980's first.
    """
    objects: dict[int, bytes] = {}
    pages: list[int] = []
    shift = INFO
    for file in files:
        found = list(_read_objects(file))
        for number, text in found:
            if not any(mark in text[:200] for mark in OWN):
                objects[number + shift] = _renumber(text, shift, size)
                if re.search(rb"/Type /Page\b", text[:200]):
                    pages.append(number + shift)
        shift += max(number for number, _ in found)
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    objects[PAGES] = b"%d 0 obj\n<< /Type /Pages /Kids [ %b ] /Count %d >>\nendobj\n" % (
        PAGES,
        kids,
        len(pages),
    )
    objects[CATALOG] = b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\n" % (CATALOG, PAGES)
    objects[INFO] = b"%d 0 obj\n<< /Producer (kgraph) /CreationDate (D:19800101000000Z) >>\nendobj\n" % INFO
    return _write_file(objects)


def _read_objects(file: bytes) -> Iterator[tuple[int, bytes]]:
    """The objects of a PDF by their numbers, each from its head to its `endobj`."""
    table = int(re.findall(rb"startxref\s+(\d+)", file)[-1])
    starts = [
        int(offset) for offset, used in re.findall(rb"^(\d{10}) \d{5} ([nf]) *$", file[table:], re.MULTILINE)
    ]
    ends = sorted([*starts, table])
    for number, start in enumerate(starts):
        if number:  # the first is none
            yield number, file[start : next(end for end in ends if end > start)]


def _renumber(text: bytes, shift: int, size: tuple[float, float]) -> bytes:
    """The object with other numbers, a page with its size, and with what is now its parent."""
    head, stream, body = text.partition(b"stream\n")
    head = REFERENCE.sub(lambda found: b"%d 0 %b" % (int(found[1]) + shift, found[2]), head)
    head = re.sub(rb"/Parent \d+ 0 R", b"/Parent %d 0 R" % PAGES, head)
    box = b"/MediaBox [ 0 0 %b %b ]" % tuple(f"{side:.2f}".encode() for side in size)
    return re.sub(rb"/MediaBox \[[^]]*\]", box, head) + stream + body


def _write_file(objects: dict[int, bytes]) -> bytes:
    """The file that the objects are of; numbers that none has are marked as free."""
    content = b"%PDF-1.5\n%\xb5\xed\xae\xfb\n"
    table = [b"0000000000 65535 f \n"]
    for number in range(1, max(objects) + 1):
        if number in objects:
            table.append(b"%010d 00000 n \n" % len(content))
            content += objects[number]
        else:
            table.append(b"0000000000 00001 f \n")
    end = b"xref\n0 %d\n%btrailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return content + end % (len(table), b"".join(table), len(table), CATALOG, INFO, len(content))
