"""What a model costs → text for a terminal: the sums, a table of parts, and what the figures are.

A line is a list of spans, pairs of a text and the name of a style, as `spans.py` has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kgraph.drawing.describe import format_bytes, format_count, format_macs, format_many, picture_shape
from kgraph.drawing.terminal.spans import Line, flow, plain_text, styled_text, word_spans
from kgraph.drawing.terminal.text_table import Row, fit_titles, table_lines
from kgraph.graph import Shape, Source
from kgraph.reports.cost_parts import cost_parts, costs_of, largest_parts
from kgraph.reports.costs import FIGURES, NO_RULE, Costs, PartCost
from kgraph.texts import escape_unprintable

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST, PROSE = 40, 110  # columns; sentences are no longer than that
MOST_PARTS = 20  # that are shown without being asked for
STYLES = {
    "": "",
    "model": "bold",
    "title": "dim",
    "note": "dim",
    "count": "",
    "total": "bold",
    "lack": "yellow",
}


def to_costs_text(
    source: Costs | Source,
    *,
    by: str = "layer",
    top: int = MOST_PARTS,
    width: int = 80,
    notes: bool = True,
) -> str:
    """What a model costs as plain text: no line wider than `width` (at least 40), none with trailing spaces.

    The table has the `top` parts of most multiply-accumulates, in their order, and the rest as one line;
    `by` is `layer`, `class` or `block`; without `notes` nothing says what the figures are.
    """
    return plain_text(_cost_lines(costs_of(source), by, top, max(width, NARROWEST), notes))


def to_styled_costs(
    found: Costs, *, by: str = "layer", top: int = MOST_PARTS, width: int = 80, notes: bool = True
) -> Text:
    """What `to_costs_text` returns, with colours: the same characters, line ends included."""
    return styled_text(_cost_lines(found, by, top, max(width, NARROWEST), notes), STYLES)


def _cost_lines(found: Costs, by: str, top: int, width: int, notes: bool) -> Iterator[Line]:
    prose = min(width, PROSE)
    yield from flow([_title_line(found)], width)
    yield from flow([_phrases(_summary(found), "total")], prose)
    yield []
    rows, titles = _rows(found, by, top), _titles(found, by)
    yield from table_lines(rows, titles, DROPPED, TO_THE_LEFT, width)
    yield []
    for text in (*_memory_notes(found), *_weight_notes(found)):
        yield from flow([word_spans(text, "")], prose)
    lacks = list(_lack_notes(found))
    if lacks:
        yield []
        for text in lacks:
            yield from flow([word_spans(text, "lack")], prose)
    if notes:
        yield []
        shown, _ = fit_titles(rows, titles, DROPPED, width)
        for text in _conventions(found, by, shown):
            yield from flow([word_spans(text, "note")], prose)


CONVENTIONS = {
    "MACs": "MACs: multiply-accumulates of convolutions and products, in inference, for a batch of {batch}; "
    "windows count whole, with their padding. FLOPs are 2 × MACs.",
    "elementwise": "elementwise: one for each bias, activation, merged element, and element in a pooling "
    "window; 2 for batch, 7 for layer normalisation.",
    "parameters": "parameters: each variable once, at its first call. memory: the tensors that calls make; "
    "views make none.",
    "": "peak: a tensor goes after its last reader, in Keras's order; without weights, and what a call needs "
    "inside.",
}


def _conventions(found: Costs, by: str, shown: Collection[str]) -> Iterator[str]:
    """What the figures are that are shown."""
    for title, text in CONVENTIONS.items():
        if title != "elementwise" or title in shown:
            yield text.format(batch=found.batch)
    shapes = dict[str, set[Shape | None]]()
    for call in found.calls:
        shapes.setdefault(call.layer, set()).add(call.shape)
    if by == "layer" and "output" in shown and any(len(several) > 1 for several in shapes.values()):
        yield "output: of the last call, where calls of a layer make several shapes."


def _at_least(part: PartCost, figure: str, text: str) -> str:
    """The text, marked where some of it is not known; at least nothing is not known at all."""
    if figure not in part.at_least or text == "?":
        return text
    return f"≥ {text}" if getattr(part, figure) else "?"


def _share(part: PartCost, whole: PartCost) -> str:
    if part.macs is None or "macs" in whole.at_least:
        return "?"
    return f"{part.macs / whole.macs:.1%}" if whole.macs else "0.0%"


# Column → its text, of a part and of the whole. The first that is dropped where the width is not enough is
# last.
CELLS: Mapping[str, Callable[[PartCost, PartCost], str]] = {
    "MACs": lambda part, _: _at_least(part, "macs", format_macs(part.macs)),
    "parameters": lambda part, _: _at_least(part, "parameters", format_count(part.parameters)),
    "memory": lambda part, _: _at_least(part, "activation_bytes", format_bytes(part.activation_bytes)),
    "share": _share,
    "output": lambda part, _: picture_shape(part.shape) if part.name else "",
    "times": lambda part, _: f"×{part.times}" if part.times > 1 else "",
    "class": lambda part, _: escape_unprintable(part.class_name),
    "calls": lambda part, _: format_count(part.calls),
    "elementwise": lambda part, _: _at_least(part, "elementwise", format_macs(part.elementwise)),
}
ORDER = ("class", "times", "calls", "output", "MACs", "share", "elementwise", "parameters", "memory")
DROPPED = ("elementwise", "calls", "class", "times", "output", "share", "memory", "parameters")
TO_THE_LEFT = ("class", "output")


def _shown_parts(parts: Sequence[PartCost], top: int, by: str) -> list[tuple[str, PartCost, str]]:
    """Title, part and style of each row: the parts that multiply most, in order; the rest as one."""
    largest = largest_parts(parts, top)
    rows = [(part.name, part, "count") for part in largest]
    kept = set(map(id, largest))
    rest = [part for part in parts if id(part) not in kept]
    if rest:
        noun = {"layer": "layer", "class": "class", "block": "part"}[by]
        many = f"{len(rest):,} more {'classes' if noun == 'class' else noun + 's'}" if len(rest) > 1 else ""
        rows.append((many or f"1 more {noun}", _add_parts(rest), "note"))
    return rows


def _add_parts(parts: Sequence[PartCost]) -> PartCost:
    sums = {figure: [getattr(part, figure) for part in parts] for figure in FIGURES}
    known = {figure: [n for n in values if n is not None] for figure, values in sums.items()}
    return PartCost(
        name="",
        class_name="",
        calls=sum(part.calls for part in parts),
        times=1,
        shape=None,
        **{figure: sum(values) if values else None for figure, values in known.items()},
        at_least=tuple(figure for figure in FIGURES if any(figure in part.at_least for part in parts)),
    )


def _whole(found: Costs) -> PartCost:
    return replace(found.total, name="", class_name="", shape=None)


def _rows(found: Costs, by: str, top: int) -> list[Row]:
    """A row for each part that is shown, for the rest, and for the sum."""
    whole = _whole(found)
    parts = [*_shown_parts(cost_parts(found, by), top, by), ("sum", whole, "total")]
    return [
        Row(name, {title: cell(part, whole) for title, cell in CELLS.items()}, style)
        for name, part, style in parts
    ]


def _titles(found: Costs, by: str) -> list[str]:
    """The columns that say something of parts of that kind."""
    skipped = {"layer": set[str](), "class": {"class", "output"}, "block": {"class", "calls"}}[by]
    if "macs" in found.total.at_least:
        skipped.add("share")
    if all(part.calls == 1 for part in cost_parts(found, by)):
        skipped.add("calls")
    return [title for title in ORDER if title not in skipped]


def _title_line(found: Costs) -> Line:
    keras = found.keras_version and f"Keras {found.keras_version}"
    said = [escape_unprintable(text) for text in (found.format, keras, found.source) if text]
    facts = said[:1] + [f" · {text}" for text in said[1:]]
    return [(escape_unprintable(found.name), "model"), ("  ", ""), *((fact, "note") for fact in facts)]


def _summary(found: Costs) -> list[str]:
    """The sums in one line."""
    total, at_least = found.total, "at least " if "macs" in found.total.at_least else ""
    is_unknown = total.macs is None or (at_least and not total.macs)
    macs = "? MACs" if is_unknown else f"{at_least}{total.macs:,} MACs"
    if total.macs is not None and total.macs >= 1_000_000:
        macs += f" ({format_macs(total.macs)})"
    size = found.size
    parameters = f"{format_count(size.parameters if size else None)} parameters"
    shapes = ", ".join(
        f"{escape_unprintable(name)} {picture_shape(shape)}" for name, shape in list(found.inputs.items())[:4]
    )
    more = len(found.inputs) - 4
    told = f"for {shapes}" + (f" and {format_many(more, 'more input')}" if more > 0 else "")
    batch = [f"a batch of {found.batch:,}"] if found.batch > 1 else []
    return [macs, parameters, *([told] if shapes else []), *batch]


def _memory_notes(found: Costs) -> Iterator[str]:
    """The peaks, each with the call where it is."""
    if found.peak is None or found.peak_in_place is None or (found.peak_at_least and not found.peak.bytes):
        yield from ["peak: ?; no tensor has a known size"] if found.calls else []
        return
    at_least = "at least " if found.peak_at_least else ""
    peak, in_place = found.peak, found.peak_in_place
    text = f"peak: {at_least}{format_bytes(peak.bytes)} at `{escape_unprintable(peak.address)}`"
    if in_place.bytes != peak.bytes:
        less = f"{at_least}{format_bytes(in_place.bytes)} with elementwise layers in place"
        text += f"; {less}, at `{escape_unprintable(in_place.address)}`"
    yield text


def _weight_notes(found: Costs) -> Iterator[str]:
    if found.by_dtype is None:
        yield "weights: ?; they are not all in the source"
        return
    several = sorted(found.by_dtype.items(), key=lambda item: item[1].bytes, reverse=True)
    parts = [f"{format_bytes(size.bytes)} {escape_unprintable(dtype)}" for dtype, size in several]
    whole = f"{format_bytes(sum(size.bytes for _, size in several))}: " if len(parts) > 1 else ""
    yield f"weights: {whole}{', '.join(parts) or '0 B'}"


def _lack_notes(found: Costs) -> Iterator[str]:
    """What is not known, and what would tell it."""
    if found.free_inputs:
        names = ", ".join(f"`{escape_unprintable(name)}`" for name in found.free_inputs[:4])
        option = " ".join(f"--input-shape {_option_text(found, name)}" for name in found.free_inputs[:4])
        yield f"free sizes of {names}: give them, as `{option}`"
    for one in found.unknown:
        name, calls = escape_unprintable(one.class_name), format_many(one.calls, "call")
        why = "no rule tells what this class multiplies" if one.reason == NO_RULE else one.reason
        yield f"? {name}, {calls}: {why}"
    odd = Counter(c.class_name for c in found.calls if c.elementwise is None and not c.unknown)
    if odd:
        several = [f"{escape_unprintable(name)}, {format_many(n, 'call')}" for name, n in odd.most_common(4)]
        yield f"? elementwise alone: {'; '.join(several)}{'; …' if len(odd) > 4 else ''}"


def _option_text(found: Costs, name: str) -> str:
    """An example of a shape for an input: 224 or 16 where it is free."""
    shape = found.inputs.get(name)
    if shape is None:
        return f"{name}=SIZES"
    some = "224" if len(shape) == 4 else "16"
    return f"{escape_unprintable(name)}=" + "x".join(some if d is None else str(d) for d in shape[1:])


def _phrases(texts: Sequence[str], style: str) -> Line:
    """The texts with dots between them, broken between words."""
    return [span for i, text in enumerate(texts) for span in word_spans(f" · {text}" if i else text, style)]
