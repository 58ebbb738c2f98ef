"""`extract_file`: file → file, without Keras."""

from __future__ import annotations

import os
from pathlib import Path

from kgraph.extraction.archive import check_target, opened, part, save
from kgraph.extraction.plan import Queries, plan, rest


def extract_file(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    queries: Queries,
    *,
    inputs: Queries | None = None,
    tail: str | os.PathLike[str] | None = None,
    force: bool = False,
) -> None:
    """None; writes to `dst` the submodel of the file `src` that makes the tensors which the queries name.

    What `kgraph.extract` builds of the loaded model, bit for bit, but no Keras is imported, no class of the
    model's needed, and memory stays small: the config is cut, and the weights that are kept are streamed.
    Layers travel as they are, with `trainable`, assets and states; the compile config and the optimizer are
    left out. With `tail`, the rest of the model is written there, begun at these tensors, a model of a dict:
    `tail(head(x))` is `model(x)`. Tested with `.keras` files of Keras 3.0-3.15.

    Raises what `read` and `plan` raise, `ExtractError` for a layout that it was not tested on, and
    `KGraphError` if `dst` is there already and not `force`, or cannot be written; then nothing is written.
    """
    source = opened(Path(src))
    parts = [(part(source, plan(source.graph, queries, inputs)), Path(dst))]
    if tail is not None:
        parts.append((part(source, rest(source.graph, queries), keyed=(True, False)), Path(tail)))
    for _, target in parts:
        check_target(Path(src), target, force)
    for piece, target in parts:
        save(piece, target)
