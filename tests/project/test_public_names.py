"""The public face: each name is written once, is there, and is known to type checkers."""

from __future__ import annotations

import os
from pathlib import Path

import kgraph

STUB = Path(kgraph.__file__).with_suffix(".pyi")
MADE_BY = "Made of `_PUBLIC` in `__init__.py` by `KGRAPH_GOLDEN=1 pytest tests/project/test_public_names.py`."


def stub() -> str:
    """What `__init__.pyi` must hold for the names in the table of `__init__.py`."""
    lines = [f'"""{MADE_BY}"""', ""]
    for module, names in sorted(kgraph._PUBLIC.items()):
        lines += [f"from {module} import {name} as {name}" for name in sorted(names.split())]
    return "\n".join([*lines, "", "__version__: str", "__all__: list[str]", "_PUBLIC: dict[str, str]", ""])


def test_every_public_name_is_there() -> None:
    assert all(getattr(kgraph, name) is not None for name in kgraph.__all__)
    assert set(kgraph.__all__) <= set(dir(kgraph))


def test_type_checkers_know_just_the_public_names() -> None:
    if os.environ.get("KGRAPH_GOLDEN"):
        STUB.write_text(stub())
    assert STUB.read_text() == stub()
