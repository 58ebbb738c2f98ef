"""What to say of a query that matches nothing: names near it, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from kgraph.graph import Layer, Node, Tensor

Call = tuple[Node, Layer]  # a node that has an address, and its layer
ByPath = dict[str, list[Call]]  # path → the calls of that layer, in graph order

NAMES = 3  # that are told at most
CLASSES = 12


def near_names(named: str, by_path: ByPath) -> list[str]:
    """The names near one that is none, as they would be typed: whole paths, last steps, or classes."""
    if named.startswith("@"):
        return [f"@{name}" for name in _close(named[1:], _class_names(by_path))]
    if named.startswith("~"):
        return [path for path in by_path if re.search(named[1:], path)][:NAMES]
    ends: dict[str, list[str]] = {}
    for path in by_path:
        ends.setdefault(path.rpartition("/")[2].casefold(), []).append(path)
    same = ends.get(named.casefold(), [])
    by_end = [path for end in _close(named, ends) for path in ends[end]]
    return list(dict.fromkeys([*same, *_close(named, by_path), *by_end]))[:NAMES]


def why_nothing(
    named: str,
    found: Sequence[tuple[Node, Layer]],
    tensors: Sequence[Tensor],
    call: int | None,
    by_path: ByPath,
) -> str:
    """Why nothing is left of what a name stands for, or why it stands for nothing; empty if that is plain.

    `found` are the calls that it names, `tensors` what was left before an index or a slice chose of them.
    """
    if tensors:
        return f"`{named}` stands for {_count(len(tensors), 'tensor')}: {_span('[{}]', range(len(tensors)))}"
    calls = sorted({node.node_index for node, _ in found})
    if call is not None and call not in calls and calls:
        return f"`{named}` has {_count(len(calls), 'call')}: {_span('#{}', calls)}"
    made = sorted({tensor.tensor_index for node, _ in found for tensor in node.outputs})
    if made:
        return f"`{named}` has {_count(len(made), 'output')}: {_span(':{}', made)}"
    if named.startswith("@"):
        names = _class_names(by_path)
        more = f" and {len(names) - CLASSES} more" if len(names) > CLASSES else ""
        return f"the classes in it are {', '.join(f'`@{name}`' for name in names[:CLASSES])}{more}"
    if named.startswith("~") and near_names(named, by_path):
        return "a regular expression is held against a whole path: `~.*name.*` finds `name` anywhere"
    return _closed_layer(named, by_path)


def object_hint(query: object) -> str:
    """What to write in place of an object of Keras, or of an index, that somebody gave as a query."""
    if isinstance(query, int):
        return f'of all tensors in graph order, `"**[{query}]"` is that one'
    maker = getattr(getattr(query, "_keras_history", None), "operation", query)
    name = getattr(maker, "name", None)
    if not isinstance(name, str):
        return "`kgraph.select` gives the tensors that a text names"
    more = "" if maker is query else f", or an address such as `{name}#0:0`"
    return f"write the name of the layer, `{name}`{more}; inside a nested model, the path to it"


def _closed_layer(named: str, by_path: ByPath) -> str:
    """What to say of a path into a layer that has no graph inside; empty for other paths."""
    for length in range(named.count("/"), 0, -1):
        path = "/".join(named.split("/")[:length])
        if path in by_path:
            layer = by_path[path][0][1]
            if layer.graph is not None:
                return ""
            what = f"`{path}` is a `{layer.class_name}`"
            return f"{what}, whose inside has no static graph; its outputs can be taken"
    return ""


def _class_names(by_path: ByPath) -> list[str]:
    return sorted({layer.class_name for calls in by_path.values() for _, layer in calls})


def _close(wanted: str, names: Iterable[str]) -> list[str]:
    """The names near a wanted one, whatever their case, the nearest first."""
    folded = {name.casefold(): name for name in names}
    return [folded[name] for name in get_close_matches(wanted.casefold(), folded, NAMES, 0.5)]


def _count(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number} {what}s"


def _span(form: str, numbers: Sequence[int]) -> str:
    """Numbers as they are typed: all, or the first and the last of many."""
    if len(numbers) > NAMES:
        return f"`{form.format(numbers[0])}` to `{form.format(numbers[-1])}`"
    return ", ".join(f"`{form.format(number)}`" for number in numbers)
