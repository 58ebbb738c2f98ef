"""Receptive fields → text for a terminal: a row for each call at which the field changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from kgraph.drawing.describe import format_many, picture_shape
from kgraph.drawing.terminal.spans import Line, flow, plain_text, styled_text, word_spans
from kgraph.drawing.terminal.text_table import Row, table_lines
from kgraph.graph import Source
from kgraph.reports.receptive_field import AxisField, ReceptiveField, ReceptiveFields
from kgraph.reports.receptive_field_data import fields_of
from kgraph.texts import escape_unprintable

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST, PROSE = 40, 110  # columns; sentences are no longer than that
MOST_NAMES = 6
STYLES = {"": "", "title": "dim", "note": "dim", "lack": "yellow", "model": "bold"}
COLUMNS = ("class", "output", "input", "field", "stride", "padding")
DROPPED = ("class", "output", "padding", "input", "stride")
CONVENTION = (
    "field: how many positions of the input one element depends on, along each axis; stride: how far it "
    "moves to the next element; padding: how far the first element's lies before the input. Calls that "
    "change none are left out."
)


def to_receptive_fields_text(source: ReceptiveFields | Source, *, width: int = 80, notes: bool = True) -> str:
    """Receptive fields as plain text: no line wider than `width` (at least 40), none with trailing spaces; of
    `ReceptiveFields`, or of what `receptive_fields` takes. Without `notes` nothing says what the figures are.
    """
    return plain_text(_field_lines(fields_of(source), max(width, NARROWEST), notes))


def to_styled_fields(found: ReceptiveFields, *, width: int = 80, notes: bool = True) -> Text:
    """What `to_receptive_fields_text` returns, with colours: the same characters, line ends included."""
    return styled_text(_field_lines(found, max(width, NARROWEST), notes), STYLES)


def _field_lines(found: ReceptiveFields, width: int, notes: bool) -> Iterator[Line]:
    yield from flow([[(escape_unprintable(found.name), "model")]], width)
    yield []
    shown = list(_changes(found.fields))
    if shown:
        several = len({field.input for field in found.fields}) > 1
        yield from table_lines([_row(one, several) for one in shown], COLUMNS, DROPPED, COLUMNS[:3], width)
    else:
        yield from flow([word_spans("no input is known that has axes of space", "note")], width)
    if found.not_aligned or notes:
        yield []
    if found.not_aligned:
        names = ", ".join(f"`{escape_unprintable(name)}`" for name in found.not_aligned[:MOST_NAMES])
        more = "…" if len(found.not_aligned) > MOST_NAMES else ""
        many = format_many(len(found.not_aligned), "call")
        text = f"not aligned: {many} of paths whose centres do not lie on each other: {names}{more}"
        yield from flow([word_spans(text, "lack")], min(width, PROSE))
    if notes:
        yield from flow([word_spans(CONVENTION, "note")], min(width, PROSE))


def _changes(fields: Sequence[ReceptiveField]) -> Iterator[ReceptiveField]:
    """The fields that are another than all those of the same input before."""
    known = set[tuple[str, tuple[AxisField, ...]]]()
    for field in fields:
        key = field.input, field.axes
        if key not in known:
            known.add(key)
            yield field


def _row(field: ReceptiveField, several: bool) -> Row:
    columns: dict[str, Callable[[AxisField], object]] = {
        "field": lambda axis: axis.size,
        "stride": lambda axis: axis.stride,
        "padding": lambda axis: axis.padding,
    }
    cells = {title: _axes_text(field.axes, value, title == "field") for title, value in columns.items()}
    cells["class"] = escape_unprintable(field.class_name)
    cells["output"] = picture_shape(field.shape)
    cells["input"] = escape_unprintable(field.input) if several else ""
    return Row(field.address, cells)


def _axes_text(axes: Sequence[AxisField], value: Callable[[AxisField], object], says_global: bool) -> str:
    """One text where all axes have the same, else one for each."""
    texts = [
        ("global" if says_global else "")
        if axis.is_global
        else "?"
        if value(axis) is None
        else str(value(axis))
        for axis in axes
    ]
    return texts[0] if len(set(texts)) == 1 else " × ".join(text or "–" for text in texts)
