"""How far weights are apart → lines, summed by the blocks that layers lie in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kgraph.drawing.describe import format_count, format_many
from kgraph.drawing.terminal.change_blocks import ChangeLine
from kgraph.reports.changes import WeightChange


def value_summary(values: Sequence[WeightChange]) -> str:
    """How many weights were compared, and how many of them are equal."""
    changed = [value for value in values if value.changed]
    if not values:
        return "values: no weight of the one model is one of the other's"
    told = f"{format_many(len(values), 'weight')} compared: "
    if not changed:
        return f"{told}equal to the last bit"
    share = _share(sum(v.changed for v in changed), sum(v.size for v in values))
    equal = len(values) - len(changed)
    return f"{told}{equal:,} equal to the last bit, {len(changed):,} not ({share} of values)"


def value_lines(values: Sequence[WeightChange], *, most: int | None = None) -> list[ChangeLine]:
    """A line for each block with weights that differ, those with the largest differences if there are more
    than `most`; without `most` a line for each weight.
    """
    groups: dict[str, list[WeightChange]] = {}
    for value in values:
        if value.changed or value.nans:
            groups.setdefault(value.path if most is None else _block(value.path), []).append(value)
    kept = [*groups]
    if most is not None and len(kept) > most:
        ranked = sorted(groups, key=lambda name: -max(v.largest or 0.0 for v in groups[name]))[: most - 1]
        kept = [name for name in groups if name in ranked]
    lines = [ChangeLine("~", name, _text(groups[name])) for name in kept]
    rest = [value for name, group in groups.items() if name not in kept for value in group]
    others = f"{len(groups) - len(kept)} other blocks"
    return lines + ([ChangeLine("~", others, _text(rest))] if rest else [])


def _text(group: Sequence[WeightChange]) -> str:
    changed, size = sum(v.changed for v in group), sum(v.size for v in group)
    known = [v.largest for v in group if v.largest is not None]
    parts = [f"{_share(changed, size)} of {format_count(size)} values"]
    if len(group) > 1:
        parts.insert(0, format_many(len(group), "weight"))
    if known and changed:
        parts.append(f"largest difference {max(known):.3g}")
    nans = sum(v.nans for v in group)
    return ", ".join(parts + ([f"{nans:,} NaN"] if nans else []))


def _share(part: int, whole: int) -> str:
    """A share in percent, not 100 % if anything is left, nor 0 % if anything is there."""
    percent = 100 * part / max(whole, 1)
    if part == whole:
        return "100 %"
    return f"{min(max(percent, 0.1), 99.9):.1f} %" if part else "none"


def _block(path: str) -> str:
    """What a weight's block is called: its layer's name up to the last number in it that a word follows."""
    layer = path.rpartition("/")[0] or path
    found = re.match(r"(.*\d[a-z]?)[_./-]", layer)
    return found[1] if found else layer
