"""The dtype of what a layer makes, as its config gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kgraph.transforms.shape_rules.call_facts import FIRST, CallFacts


def compute_dtype(policy: Any) -> str | None:
    """The dtype that a layer computes in, from its policy: a string (until 3.3) or an object.

    >>> compute_dtype("mixed_bfloat16"), compute_dtype({"config": {"name": "float32"}})
    ('bfloat16', 'float32')
    """
    if isinstance(policy, Mapping):
        config = policy.get("config")
        policy = (config.get("source_name") or config.get("name")) if isinstance(config, Mapping) else None
    return policy.rpartition("_from_")[2].removeprefix("mixed_") if isinstance(policy, str) else None


def computed_dtype(call: CallFacts) -> str | None:
    """The dtype of the layer's own numbers, whatever it reads."""
    return compute_dtype(call.config.get("dtype"))


def kept_dtype(call: CallFacts) -> str | None:
    """Floats become the layer's compute dtype; what other inputs become is not known."""
    dtypes = {facts.dtype for facts in call.operands(*FIRST)}
    if all(dtype is not None and dtype.startswith(("float", "bfloat")) for dtype in dtypes):
        return computed_dtype(call) or (dtypes.pop() if len(dtypes) == 1 else None)
    return None


def moved_dtype(call: CallFacts) -> str | None:
    """Floats become the layer's compute dtype; other inputs, which it only moves, keep theirs."""
    dtypes = {facts.dtype for facts in call.operands(*FIRST)}
    return kept_dtype(call) or (dtypes.pop() if len(dtypes) == 1 and not _has_float(dtypes) else None)


def _has_float(dtypes: set[str | None]) -> bool:
    return any(dtype is None or dtype.startswith(("float", "bfloat")) for dtype in dtypes)
