"""Models of Keras 1 and 2, told from those of Keras 3 by what their files say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kgraph.errors import FormatError


def refuse_old(source: str, entry: Mapping[str, Any], version: str | None) -> None:
    """Nothing; raises `FormatError` for what Keras 1 or 2 wrote, by its version or the form of its config."""
    number = (version or "").partition(".")[0]
    config = entry.get("config")
    if isinstance(config, Mapping) and not isinstance(config.get("layers"), list):
        return  # a subclassed model, which has no graph in any version
    if number in ("1", "2") or (not number and _is_old(config)):
        told = f"{number} model ({version})" if number else "2 model"
        raise FormatError(
            source,
            f"is a Keras {told}, which this version does not read",
            hint="load it with `tf_keras`, give its `get_weights()` to the same model built in Keras 3, "
            "and save that with `model.save('model.keras')`",
        )


def _is_old(config: Any) -> bool:
    """Whether a config without a version has a form that no Keras 3 writes (3.0-3.15).

    There calls are lists, a Sequential's config may be its list of layers, and entries have no module.
    """
    layers = config.get("layers") if isinstance(config, Mapping) else config
    entries = [layer for layer in layers if isinstance(layer, Mapping)] if isinstance(layers, list) else []
    if isinstance(config, Mapping) and "input_layers" in config:
        calls = (entry.get("inbound_nodes") for entry in entries)
        return any(
            isinstance(call, list) for all_calls in calls if isinstance(all_calls, list) for call in all_calls
        )
    return any("class_name" in entry and "module" not in entry for entry in entries)
