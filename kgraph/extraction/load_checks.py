"""What of a file Keras must not be let at unasked: code, files of elsewhere.

Edge module: looks at the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kgraph.reports.audit import Finding
from kgraph.reports.audit_kinds import KINDS
from kgraph.sources.audited_file import audit
from kgraph.sources.model_file import ModelFile

# Refused whatever Keras would do: what runs, and what lies outside the file.
ALWAYS = ("bytecode", "savedmodel", "torch pickle", "pickle", "outside file")
# Left to Keras, which says what it does not know.
NAMES = ("custom object", "taken name")


def load_refusal(file: ModelFile, library: str, known: Mapping[str, Any]) -> str | None:
    """Why a library, `keras` or `tf_keras`, may not load a file, as follows a colon; None if it may.

    It may not where it would run or reach for something and not stop; what is certain of Keras 3.15 is not of
    tf_keras. `known` are the custom objects that the library has: their packages may be used.
    """
    looked_at = audit(file.path)
    packages = {str(getattr(thing, "__module__", "")).partition(".")[0] for thing in known.values()} - {""}
    names = {name.rpartition(">")[2] for name in known}
    refused = [
        one
        for one in looked_at.findings
        if _is_refused(one, library) and not (one.kind not in ALWAYS and _is_known(one, packages, names))
    ]
    if not refused:
        return f"not all of it can be looked at: {looked_at.unread[0]}" if looked_at.unread else None
    first, more = refused[0], len(refused) - 1
    others = f", and {more} more such thing{'s' * (more != 1)}" if more else ""
    what = f" ({first.what})" if first.kind != "bytecode" else ""
    return f"it holds {KINDS[first.kind].title}{what} at `{first.where}`{others}"


def _is_known(finding: Finding, packages: set[str], names: set[str]) -> bool:
    """Whether it is a class or function of a package, or of a name, that the program has registered."""
    return bool(finding.module) and (
        finding.module.partition(".")[0] in packages or finding.what.rpartition(".")[2] in names
    )


def _is_refused(finding: Finding, library: str) -> bool:
    if finding.kind in ALWAYS:
        return True
    return finding.kind not in NAMES and (library != "keras" or finding.stopped is not True)
