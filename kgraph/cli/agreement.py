"""What is told of a file beside its source, where another Keras made one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgraph.cli.terminal import tell
from kgraph.errors import KGraphError
from kgraph.extraction.plan import Queries
from kgraph.sources.model_file import ModelFile

EXACT = 1e-5  # of the largest value, in float32


def measure(
    source: ModelFile,
    targets: Sequence[Path],
    layers: Queries | None = None,
    inputs: Queries | None = None,
    *,
    unsafe: bool = False,
    imports: Sequence[str] = (),
) -> dict[str, Any]:
    """How far what was written is from its source; `KGraphError` for more than rounding, and for any
    difference where both are of Keras 3.

    The targets are the whole, or a cut and maybe the rest, as `verify_conversion` takes them.
    """
    from kgraph.extraction.verify import verify_conversion

    new, tail = targets[0], targets[1] if len(targets) > 1 else None
    found = verify_conversion(source, new, layers, inputs, tail=tail, unsafe=unsafe, imports=imports)
    if found.relative > (0.0 if source.version >= (3,) else EXACT):
        apart = f"{found.relative:.1e} of the largest value"
        raise KGraphError(f"`{new}` is written, but is up to {apart} apart from `{source.path}`")
    return {"library": found.library, "absolute": found.absolute, "relative": found.relative}


def tell_agreement(found: Mapping[str, Any]) -> None:
    """None; one line of it."""
    told = f"{found['absolute']:.1e}, {found['relative']:.1e} of the largest value"
    tell(f"verified beside {found['library']}: at most {told} apart")
