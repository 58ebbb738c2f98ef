"""What differs between two models as few lines, as a person would say it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kgraph.drawing.describe import format_many, keras_shape
from kgraph.drawing.terminal.change_blocks import ChangeLine, block_lines, class_counts, path_of
from kgraph.reports.changes import Change, Diff

NAMED = 3  # layers that are named of several
APART = 3  # values of one setting that have a line each; more are told as one
LONGEST = 60  # characters of a value
WORDS = {"moved": "place", "renamed": "name", "sharing": "sharing", "reads": "reads"}


def change_lines(diff: Diff, *, most: int | None = None, following: bool = False) -> list[ChangeLine]:
    """All that differs, each change in one line alone; what follows from other changes only if `following`.

    `most`: of each kind so many lines, the rest of it as one. That the whole model is called otherwise is
    told if nothing else differs: titles have its names.
    """
    told = [change for change in diff.changes if following or not change.follows]

    def of(*kinds: str) -> list[Change]:
        return [change for change in told if change.kind in kinds]

    models = {
        kind: {path_of(change) for change in of(kind) if change.key == "model"}
        for kind in ("added", "removed")
    }
    names = [change for change in of("renamed") if change.key != "model" or len(told) == 1]
    properties = ("trainable", "setting", "argument", "dtype", "weights", "shape")
    sections: list[Iterable[ChangeLine]] = [
        _one_sided_lines(diff, "removed", "-"),
        _one_sided_lines(diff, "added", "+"),
        _move_lines(of("moved"), models),
        _rename_lines(names),
        _sharing_lines(of("sharing")),
        _read_lines(of("reads")),
        _end_lines(of("input", "output")),
        _property_lines(of(*properties), diff.old.layers),
        _compile_lines(of("compile")),
    ]
    return [line for section in sections for line in largest_lines(list(section), most)]


def _one_sided_lines(diff: Diff, kind: str, mark: str) -> Iterator[ChangeLine]:
    """Lines for what was added, or removed: models, then layers that lie in none of those."""
    whole = _whole_models(diff, kind)
    yield from _model_lines(diff, kind, mark)
    layers = [c for c in diff.of_kind(kind) if c.key == "layer" and not _is_in(path_of(c), whole)]
    yield from block_lines(layers, mark)


def largest_lines(lines: list[ChangeLine], most: int | None) -> list[ChangeLine]:
    """Those lines that tell of the most changes, in their order, and one for the rest."""
    if most is None or len(lines) <= most:
        return lines
    ranked = sorted(range(len(lines)), key=lambda i: (-len(lines[i].changes), i))
    kept = sorted(ranked[: most - 1])
    rest = [change for i in sorted(ranked[most - 1 :]) for change in lines[i].changes]
    if lines[0].mark in "+-":
        text = class_counts([change for change in rest if change.key == "layer"])
        subject = f"{len(rest)} other layers"
    else:
        kinds = Counter(WORDS.get(change.kind, change.key) for change in rest).most_common(NAMED + 2)
        text = ", ".join(f"{count} of {kind}" for kind, count in kinds)
        subject = f"{len(rest)} other changes"
    return [*(lines[i] for i in kept), ChangeLine(lines[0].mark, subject, text, tuple(rest))]


def _is_in(path: str, models: Iterable[str]) -> bool:
    return any(path.startswith(f"{model}/") for model in models)


# Nested models.


def _whole_models(diff: Diff, kind: str) -> list[str]:
    """The paths of nested models all of whose layers came, or went, with them."""
    side = 1 if kind == "added" else 0
    kept = {(pair.old, pair.new)[side] for pair in diff.pairs}
    paths = (path_of(c) for c in diff.of_kind(kind) if c.key == "model")
    return [path for path in paths if not any(address.startswith(f"{path}/") for address in kept)]


def _model_lines(diff: Diff, kind: str, mark: str) -> Iterator[ChangeLine]:
    whole = _whole_models(diff, kind)
    side = 1 if kind == "added" else 0
    moves = [c for c in diff.of_kind("moved") if c.key == "model"]
    if kind == "removed":  # what moved from a model that is gone into one that is new is told with that one
        new = {change.new for change in diff.of_kind("added") if change.key == "model"}
        moves = [c for c in moves if c.new_value not in new]
    for change in diff.of_kind(kind):
        path = path_of(change)
        if change.key != "model" or _is_in(path, whole):
            continue
        inside = [c for c in diff.of_kind(kind) if path_of(c).startswith(f"{path}/")]
        moved = [c for c in moves if (c.old_value, c.new_value)[side] == path]
        given = _given_text(change)
        if path in whole:
            layers = sum(c.key == "layer" for c in inside)
            text = f"{change.class_name}, {format_many(layers, 'layer')}{given}"
            yield ChangeLine(mark, path, text, (change, *inside))
        else:
            way = "into it" if kind == "added" else "out of it"
            names = _some([(c.old if kind == "added" else c.new) or "" for c in moved])
            text = f"{change.class_name}{given}: {format_many(len(moved), 'layer')} moved {way}: {names}"
            yield ChangeLine(mark, path, text if moved else change.class_name + given, (change, *moved))


def _given_text(model: Change) -> str:
    """What else the calls of a nested model are given."""
    facts = model.new_value if model.kind == "added" else model.old_value
    given = dict.fromkeys(
        f"{slot}={_python_text(value)}" for call in facts["arguments"] for slot, value in call.items()
    )
    calls = "" if facts["calls"] == 1 else f", {facts['calls']} calls"
    return calls + (f", called with {', '.join(given)}" if given else "")


def _move_lines(changes: Sequence[Change], models: dict[str, set[str]]) -> Iterator[ChangeLine]:
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if change.key == "place":
            where = [", ".join(value.values()) for value in (change.old_value, change.new_value)]
            text = f"moved: after {where[0]} → after {where[1]}"
            yield ChangeLine("~", _name(change), text, (change,))
        else:
            groups.setdefault((change.old_value, change.new_value), []).append(change)
    for (old, new), moved in groups.items():
        if new in models["added"] or old in models["removed"]:
            continue  # told where the model is
        names = f": {_some([change.new or '' for change in moved])}" if len(moved) > 1 else ""
        subject = _subject(moved, None)
        way = f"{old or 'the top'} → {new or 'the top'}"
        yield ChangeLine("~", subject, f"moved: {way}{names}", tuple(moved))


# Names.


def _rename_lines(changes: Sequence[Change]) -> Iterator[ChangeLine]:
    """One line for all names that change by one rule, another rule for each that is left."""
    left = list(changes)
    while left:
        rules = Counter(rule for change in left for rule in _rules(change))
        rule, count = rules.most_common(1)[0] if rules else (None, 0)
        if count < 2 or rule is None:
            break
        batch = [change for change in left if rule in _rules(change)]
        left = [change for change in left if rule not in _rules(change)]
        where, old, new = rule
        both = (f"{old}…", f"{new}…") if where == "start" else (f"…{old}", f"…{new}")
        examples = _some([f"{c.old_value} → {c.new_value}" for c in batch], 2)
        yield ChangeLine(
            "~", _subject(batch, None), f"renamed: {both[0]} → {both[1]}: {examples}", tuple(batch)
        )
    for change in left:
        what = "model" if change.key == "model" else change.old or ""
        home = (change.new or "").removesuffix(str(change.new_value))
        text = f"renamed: {change.old_value} → {change.new_value}"
        yield ChangeLine(
            "~", what if change.key == "model" or home else str(change.old_value), text, (change,)
        )


def _rules(change: Change) -> set[tuple[str, str, str]]:
    """How the one name is made of the other: what it began with, or ended in, replaced."""
    if change.key == "model":
        return set()
    old, new = str(change.old_value), str(change.new_value)
    tail = _common_start(old[::-1], new[::-1])
    head = _common_start(old, new)
    found = set()
    if tail:
        found.add(("start", old[: len(old) - tail], new[: len(new) - tail]))
    if head:
        found.add(("end", old[head:], new[head:]))
    return found


def _common_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


# Sharing and wiring.


def _sharing_lines(changes: Sequence[Change]) -> Iterator[ChangeLine]:
    groups: dict[Any, list[Change]] = {}
    for change in changes:
        homes = tuple((path or "").rpartition("/")[0] for path in (change.old, change.new))
        kind: Any = change.key
        if change.key == "calls":
            kind = tuple(change.old_value.values()), tuple(change.new_value.values())
        groups.setdefault((homes, kind) if homes != ("", "") else id(change), []).append(change)
    for group in groups.values():
        first = group[0]
        if first.key != "calls":
            was, now = (
                "one object with " + str(v) if v else "its own" for v in (first.old_value, first.new_value)
            )
            yield ChangeLine("~", _subject(group, None), f"{was} → {now}", tuple(group))
        elif len(group) > 1:
            counts = [_call_text(dict.fromkeys(v, 0) | v) for v in (first.old_value, first.new_value)]
            text = f"as {counts[0]} → {counts[1]}"
            yield ChangeLine("~", _subject(group, None), text, tuple(group))
        else:
            text = f"{_call_text(first.old_value)} → {_call_text(first.new_value)}"
            yield ChangeLine("~", "sharing", text, (first,))


def _call_text(calls: dict[str, int]) -> str:
    return ", ".join(f"{path} {format_many(n, 'call')}" for path, n in calls.items())


def _read_lines(changes: Sequence[Change]) -> Iterator[ChangeLine]:
    for change in changes:
        was, now = change.old_value, change.new_value
        same_slots = list(was) == list(now)
        if same_slots and len(was) > 4:
            was = {slot: v for slot, v in change.old_value.items() if v != change.new_value[slot]}
            now = {slot: v for slot, v in change.new_value.items() if v != change.old_value[slot]}
        named = not same_slots and list(was.values()) == list(now.values())
        texts = [_reads_text(reads, named) for reads in (was, now)]
        texts[1] += ", others of those names" * (texts[0] == texts[1])
        yield ChangeLine("~", _name(change), f"reads {texts[0]} → {texts[1]}", (change,))


def _reads_text(reads: dict[str, str], with_slots: bool) -> str:
    told = [f"{slot}={address}" if with_slots else address for slot, address in reads.items()]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "") or "nothing"


def _end_lines(changes: Sequence[Change]) -> Iterator[ChangeLine]:
    for change in changes:
        if change.key == "form":
            was, now = (_form_text(value) for value in (change.old_value, change.new_value))
            yield ChangeLine("~", f"{change.kind}s", f"{was} → {now}", (change,))
        else:
            subject = f"{change.kind} {change.key}".rstrip()
            yield ChangeLine("~", subject, f"{change.old_value} → {change.new_value}", (change,))


def _form_text(slots: dict[str, str]) -> str:
    if list(slots) == [""]:
        return slots[""]
    if list(slots) == [str(i) for i in range(len(slots))]:
        return f"[{_some(list(slots.values()))}]"
    return "{" + _some([f"{slot}: {address}" for slot, address in slots.items()]) + "}"


# Settings and other properties.


def _property_lines(changes: Sequence[Change], layers: int) -> Iterator[ChangeLine]:
    """A line for layers with one change in common; layers with several in common are told once."""
    groups: dict[tuple[str, str, str], list[Change]] = {}
    for change in changes:
        class_name = "" if change.kind == "trainable" else change.class_name
        groups.setdefault((change.kind, class_name, change.key), []).append(change)
    batches: dict[tuple[str, ...], list[tuple[str, list[Change]]]] = {}
    for (kind, _, key), group in groups.items():
        for text, batch in _by_values(kind, key, group):
            paths = tuple(_name(change) for change in batch)
            batches.setdefault(paths, []).append((text, batch))
    for batch_texts in batches.values():
        texts, first = [text for text, _ in batch_texts], batch_texts[0][1]
        names = f": {_some([_name(c) for c in first])}" if len(first) > 1 else ""
        told = tuple(change for _, batch in batch_texts for change in batch)
        yield ChangeLine("~", _subject(first, layers), ", ".join(texts) + names, told)


def _by_values(kind: str, key: str, group: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    """The changes of one setting, those together that change alike; all, if they change in many ways."""
    values: dict[str, list[Change]] = {}
    for change in group:
        values.setdefault(json.dumps([change.old_value, change.new_value], sort_keys=True), []).append(change)
    label = "makes" if kind == "shape" or (kind == "dtype" and key.isdecimal()) else key
    label = "weights" if (kind, key) == ("weights", "number") else label
    if len(values) <= APART or len(group) <= APART:
        for batch in values.values():
            was, now = _value_text(kind, batch[0].old_value), _value_text(kind, batch[0].new_value)
            yield f"{label}: {was} → {now}" if was != now else f"{label}: another value than {was}", batch
        return
    yield f"{label}: {_ranges(kind, group)}", list(group)


def _ranges(kind: str, group: Sequence[Change]) -> str:
    """What many values changed from and to: by one factor, or between which bounds."""
    olds, news = [c.old_value for c in group], [c.new_value for c in group]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in (*olds, *news)):
        bounds = [f"{_number(min(values))}…{_number(max(values))}" for values in (olds, news)]
        return f"{bounds[0]} → {bounds[1]}"
    return f"{_value_text(kind, olds[0])} → {_value_text(kind, news[0])}, and so on"


def _number(value: float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _value_text(kind: str, value: Any) -> str:
    if kind in ("shape", "weights") and isinstance(value, list):
        return keras_shape(tuple(value))
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else _python_text(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _python_text(value: Any) -> str:
    """A JSON value as Python writes it; an object of Keras as its class name and settings."""
    if isinstance(value, dict):
        if "array" in value:
            return f"array{tuple(value['array'].get('shape', ()))} {value['array'].get('dtype')}"
        inner = {k: v for k, v in value.items() if k != "class_name"}
        told = ", ".join(f"{key}={_python_text(v)}" for key, v in inner.items())
        return f"{value['class_name']}({told})" if "class_name" in value else "{" + told + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python_text, value)) + "]"
    return value if isinstance(value, str) else repr(value)


def _compile_lines(changes: Sequence[Change]) -> Iterator[ChangeLine]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.key.partition(".")[0], []).append(change)
    for what, group in groups.items():
        told = [
            f"{c.key.removeprefix(what).lstrip('.')}: {_value_text('', c.old_value)} → "
            f"{_value_text('', c.new_value)}".removeprefix(": ")
            for c in group
        ]
        yield ChangeLine("~", f"training, {what}", ", ".join(told), tuple(group))


# Names of what changed.


def _name(change: Change) -> str:
    name = change.new if change.new is not None else change.old or ""
    return name.removesuffix("#0")


def _subject(changes: Sequence[Change], layers: int | None) -> str:
    """What several changes are about: a name, or how many of which class."""
    if len(changes) == 1:
        return _name(changes[0])
    if layers is not None and len(changes) == layers:
        return f"all {layers} layers"
    classes = {change.class_name for change in changes}
    return f"{len(changes)} {classes.pop()}" if len(classes) == 1 else f"{len(changes)} layers"


def _some(names: Sequence[str], most: int = NAMED) -> str:
    """Some of the names, or what all have in common."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} … {names[-1]}"
