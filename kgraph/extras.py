"""Packages that not everybody needs, imported where they are; what to type where they are absent."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kgraph.errors import KGraphError

# Package → the extra of keras-kgraph that brings it.
EXTRAS = {
    "PIL": "features",
    "pyarrow": "features",
    "zarr": "features",
    "ray": "ray",
    "networkx": "networkx",
}
NAMES = {"PIL": "Pillow"}  # where the package is called otherwise than its module


def require(module: str, what: str) -> Any:
    """The module of an extra; raises `KGraphError`, with the line to type, where it is not installed.

    `what` needs it, as the sentence begins: "to write `.zarr`".
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        name = NAMES.get(package, package)
        raise KGraphError(
            f"{what} takes {name}, which is not installed"
            if error.name in (package, None)
            else f"{what} takes {name}, which cannot be imported ({error})",
            hint=f"pip install 'keras-kgraph[{EXTRAS[package]}]'",
        ) from error
