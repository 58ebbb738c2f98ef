"""What audits say, as people read it: one file by its findings, many as a table. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING

from kgraph.reports.audit_kinds import KINDS
from kgraph.texts import escape_unprintable, json_text

if TYPE_CHECKING:
    from kgraph.reports.audit import Audit, Finding

VERSION = 1  # of the JSON
NOTHING = "nothing was found of what kgraph looks for, which does not make it safe"
STOPPED = {
    True: "Keras 3.15 in safe mode stops it",
    False: "Keras 3.15 does not stop it",
    None: "Keras is not known to stop it",
}


def to_audit_text(audit: Audit, width: int) -> str:
    """The findings of one file, kind by kind, in lines of at most `width` columns."""
    version = f" · Keras {escape_unprintable(audit.keras_version)}" if audit.keras_version else ""
    head = f"{escape_unprintable(audit.path)}  {audit.format or ''}{version}".rstrip()
    lines = _wrap_lines(head, width, "", "  ")
    if audit.findings:
        count = len(audit.findings)
        said = f"{count} thing{'s' * (count != 1)} that Keras would run or reach for:"
        lines += _wrap_lines(said, width, "", "")
    elif not audit.unread:
        lines += _wrap_lines(NOTHING, width, "", "")
    for (kind, stopped), found in _by_kind(audit.findings).items():
        title, effect, _ = KINDS[kind]
        lines += ["", *_wrap_lines(f"{title}: {effect}. {STOPPED[stopped]}.", width, "", "")]
        for one in found:
            source = f", of the package `{one.module.partition('.')[0]}`" if one.module else ""
            lines += _wrap_lines(
                f"{_place(one)}  {escape_unprintable(one.what + source)}", width, "  ", "      "
            )
    for reason in audit.unread:
        lines += ["", *_wrap_lines(f"not read: {escape_unprintable(reason)}", width, "", "  ")]
    return "".join(f"{line}\n" for line in lines)


def to_audit_table(audits: Sequence[Audit], width: int) -> str:
    """A line for each file: how much was found, and of what kinds."""
    counts = [
        f"{len(audit.findings)}{'+' * bool(audit.unread)}" if audit.findings else _short(audit)
        for audit in audits
    ]
    column = max([len("found"), *map(len, counts)])
    lines = [f"{'found':>{column}}  file"]
    for audit, count in zip(audits, counts, strict=True):
        kinds = Counter(one.kind for one in audit.findings)
        told = ", ".join(f"{kind} ×{times}" if times > 1 else kind for kind, times in kinds.items())
        text = f"{escape_unprintable(audit.path)}  {told}".rstrip()
        lines += _wrap_lines(text, width, f"{count:>{column}}  ", " " * (column + 4))
    unread = sum(bool(audit.unread) for audit in audits)
    found = sum(bool(audit.findings) for audit in audits)
    count = f"{len(audits)} file{'s' * (len(audits) != 1)}"
    said = f"{count}: {found} with findings, {unread} not read or not all"
    lines += ["", *_wrap_lines(said, width, "", "")]
    return "".join(f"{line}\n" for line in lines)


def to_audit_json(audits: Iterable[Audit]) -> str:
    """All findings as JSON: `version`, and `files`, with the fields of `Audit` and `Finding`.

    Each finding has `title` and `effect` of its kind beside them.
    """
    files = []
    for audit in audits:
        data = asdict(audit)
        data["findings"] = [
            {**asdict(one), "title": KINDS[one.kind].title, "effect": KINDS[one.kind].effect}
            for one in audit.findings
        ]
        files.append(data)
    return json_text({"version": VERSION, "files": files})


def _by_kind(findings: Iterable[Finding]) -> dict[tuple[str, bool | None], list[Finding]]:
    """Findings by kind and by whether Keras stops them, in the order of the table of kinds."""
    groups: dict[tuple[str, bool | None], list[Finding]] = {}
    for one in sorted(findings, key=lambda one: list(KINDS).index(one.kind)):
        groups.setdefault((one.kind, one.stopped), []).append(one)
    return groups


def _place(finding: Finding) -> str:
    return escape_unprintable(f"{finding.part}: {finding.where}" if finding.part else finding.where)


def _short(audit: Audit) -> str:
    return "not read" if audit.unread else "0"


def _wrap_lines(text: str, width: int, first: str, rest: str) -> list[str]:
    return wrap(text, max(width, 40), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
