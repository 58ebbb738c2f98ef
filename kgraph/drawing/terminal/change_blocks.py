"""Added or removed layers as few lines: whole models, blocks that are alike, layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kgraph.drawing.describe import format_many, telling_settings
from kgraph.graph import Layer
from kgraph.reports.changes import Change
from kgraph.reports.layer_settings import is_automatic
from kgraph.transforms.block_names import block_label, common_stem, span_names
from kgraph.transforms.repeats import periodic_stretches

LEAST = 3  # layers fewer that are named, for it to be worth a line that says "×2"
SINGLE = 3  # layers in a row that have a line each
LIKE = 3  # rows of layers in several places that are told as one if they are alike
KINDS = 5  # classes that are named of a block


@dataclass(frozen=True)
class ChangeLine:
    """A line of what differs: a mark (`+`, `-`, `~`), what it is about, what of it; the changes it tells."""

    mark: str
    subject: str
    text: str
    changes: tuple[Change, ...] = ()


def path_of(change: Change) -> str:
    """The path of what was added or removed."""
    return change.new if change.new is not None else change.old or ""


def block_lines(changes: Sequence[Change], mark: str) -> Iterator[ChangeLine]:
    """Lines for layers that were added, or removed, by their places in the flat graph."""
    rows = [list(_rest_of(row)) for row in _rows(changes)]
    parts = [part for row in rows for part in row]
    likes: dict[tuple[Any, ...], list[_Part]] = {}
    for part in parts:
        likes.setdefault(part.kind, []).append(part)
    for part in parts:
        alike = likes[part.kind]
        if len(alike) < LIKE:
            yield from part.lines(mark)
        elif part is alike[0]:
            yield _like_line(alike, mark)


@dataclass(frozen=True)
class _Part:
    """Layers in a row: so many blocks of equally many."""

    layers: tuple[Change, ...]
    times: int = 1

    @property
    def kind(self) -> tuple[Any, ...]:
        """What parts that are alike have in common."""
        if len(self.layers) == 1:
            return 1, class_text(self.layers[0])
        return self.times, tuple(layer.class_name for layer in self.layers)

    @property
    def name(self) -> str:
        """What it is called."""
        size = len(self.layers) // self.times
        names = [path_of(layer) for layer in self.layers]
        if len(names) == 1:
            return names[0]
        first, last = names[:size], names[-size:]
        if self.times > 1:
            return span_names(block_label(first), block_label(last))
        given = [path_of(layer) for layer in self.layers if _stem(layer) is not None]
        label = common_stem(given) if given else ""
        return label or f"{names[0]} … {names[-1]}"

    def lines(self, mark: str) -> Iterator[ChangeLine]:
        """Its lines: one for a block, one for each of few layers."""
        size = len(self.layers) // self.times
        if self.times > 1:
            text = f"{size} layers each: {class_counts(self.layers[:size])}"
            text = text if size > 1 else class_text(self.layers[0])
            yield ChangeLine(mark, f"{self.name} ×{self.times}", text, self.layers)
        elif size > SINGLE:
            text = f"{format_many(size, 'layer')}: {class_counts(self.layers)}"
            yield ChangeLine(mark, self.name, text, self.layers)
        else:
            for layer in self.layers:
                yield ChangeLine(mark, path_of(layer), _layer_text(layer), (layer,))


def _like_line(parts: Sequence[_Part], mark: str) -> ChangeLine:
    """One line for parts that are alike, in several places."""
    layers = tuple(layer for part in parts for layer in part.layers)
    first, last, size = parts[0].name, parts[-1].name, len(parts[0].layers)
    text = class_text(layers[0]) if size == 1 else f"{size} layers each: {class_counts(layers[:size])}"
    name = span_names(first, last) if " … " not in first + last else f"{first} … {last.rpartition(' ')[2]}"
    return ChangeLine(mark, f"{name} ×{len(parts)}", text, layers)


def _rows(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The layers in a row that nothing else stands between."""
    row: list[Change] = []
    for change in sorted(changes, key=lambda change: min(change.places)):
        if row and min(change.places) != min(row[-1].places) + 1:
            yield row
            row = []
        row.append(change)
    if row:
        yield row


def _rest_of(row: Sequence[Change]) -> Iterator[_Part]:
    """The row as blocks that repeat, and what is between them."""
    symbols: dict[tuple[str, str], int] = {}
    numbers = [symbols.setdefault(_symbol(layer), len(symbols)) for layer in row]
    waiting = [(0, len(row))]
    while waiting:
        start, end = waiting.pop()
        best: tuple[int, int, int, int] | None = None
        for s, e, period in periodic_stretches(numbers[start:end]):
            times = (e - s) // period
            saved = period * (times - 1)
            if saved >= LEAST and (best is None or (saved, -period) > best[:2]):
                best = saved, -period, start + s, start + e
        if best is None:
            yield from _by_name(row[start:end])
            continue
        period, first = -best[1], _best_start(row, best[2], best[3], -best[1])
        last = first + (best[3] - first) // period * period
        if first > start:
            yield from _by_name(row[start:first])
        yield _Part(tuple(row[first:last]), (last - first) // period)
        if last < end:
            waiting.append((last, end))


def _best_start(row: Sequence[Change], start: int, end: int, period: int) -> int:
    """Where blocks begin in a stretch with a period: there where most names of a block begin alike."""

    def score(first: int) -> tuple[int, int]:
        names = [path_of(layer) for layer in row[first : first + period]]
        label = block_label(names)
        return sum(name.startswith(label) for name in names), -first

    return max(range(start, start + (end - start) % period + 1), key=score)


def _by_name(row: Sequence[Change]) -> Iterator[_Part]:
    """The row in parts of layers whose names begin alike, where those are many; what is left as it stands.

    Layers that Keras named belong to what stands before them, the first ones to what follows.
    """
    starts, stem = [0], ""
    for i, layer in enumerate(row):
        own = _stem(layer)
        if own is not None and own != stem:
            if stem:
                starts.append(i)
            stem = own
    few: list[Change] = []
    for start, end in pairwise([*starts, len(row)]):
        if end - start > SINGLE:
            if few:
                yield _Part(tuple(few))
            few = []
            yield _Part(tuple(row[start:end]))
        else:
            few += row[start:end]
    if few:
        yield _Part(tuple(few))


def _stem(layer: Change) -> str | None:
    """What the name has in common with those of its block: all up to the last part with a number in it, or
    the model it lies in; None for a name that Keras gave.
    """
    path = path_of(layer)
    if is_automatic(path.rpartition("/")[2], layer.class_name):
        return None
    found = re.match(r"(.*\d[a-z]?)[_./-]", path)
    return found[1] if found else path.rpartition("/")[0] or re.split(r"[_.-]", path)[0]


def _symbol(layer: Change) -> tuple[str, str]:
    word = re.split(r"[_./-]", path_of(layer))[-1]
    return layer.class_name, re.sub(r"\d+", "#", word)


def _facts(layer: Change) -> Mapping[str, Any]:
    facts = layer.new_value if layer.kind == "added" else layer.old_value
    return facts if isinstance(facts, Mapping) else {}


def class_text(layer: Change) -> str:
    """A layer's class, and the settings that tell it from its like: `Dense 64 · relu`."""
    settings = telling_settings(Layer("", layer.class_name, config=_facts(layer).get("settings", {})))
    return f"{layer.class_name} {settings}".rstrip()


def _layer_text(layer: Change) -> str:
    facts = _facts(layer)
    reads, calls = facts.get("reads", []), facts.get("calls", 1)
    after = f", after {', '.join(reads)}" if 0 < len(reads) < 3 else ""
    return class_text(layer) + (f", {calls} calls" if calls > 1 else "") + after


def class_counts(layers: Sequence[Change]) -> str:
    """How many there are of each class: `3 Conv2D, Add`."""
    counts = Counter(layer.class_name for layer in layers).most_common()
    told = [f"{count} {name}" if count > 1 else name for name, count in counts[:KINDS]]
    return ", ".join(told + ["…"] * (len(counts) > KINDS))
