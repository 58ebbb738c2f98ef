"""How a picture that `dot` has laid out is set: in one piece, in columns, on pages. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from kgraph.drawing.pictures.columns import Columns, Sheet, set_in_columns
from kgraph.drawing.pictures.cuts import MOST_COLUMNS, even_ways, fewest_columns, find_cuts
from kgraph.drawing.pictures.flow import (
    SIDEWAYS,
    TURNS,
    Item,
    item_bounds,
    middle_of,
    read_flow,
    write_places,
)
from kgraph.drawing.pictures.islands import (
    WIDE,
    Bounds,
    Part,
    Point,
    part_bounds,
    place_islands,
    round_all,
)

TALL = 4.0  # times its width that a picture may be high, and stay in one piece
ACROSS = 1000.0  # points that one that leads to the side may be long: rows are read less easily
MARGIN = 0.04  # of the lesser side of a page, round what stands on it
NARROW_MARGIN = 4.0  # points, of a picture as wide as asked for, which stands within a page
SMALLEST = 9.0  # points of the smallest type there is, before anything is scaled
LEAST_TYPE = 6.0  # points of the smallest type that is readable
SCALES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 2 / 3)  # that are tried where there may be several pages
ROOM = 80.0  # points of a page's height for the arrows that lead from one column to the next
APART = 20.0  # points between a picture and its legend
NARROWED = 0.85  # how much smaller type may be for a picture that is as wide as asked for to be less high


class Wish(NamedTuple):
    """What is asked of a picture."""

    rankdir: str = "TB"
    wrap: str = "1"  # a number of columns, or `auto`, or `tall`: only of what is much higher than wide
    width: float | None = None  # points that the paper is wide
    height: float | None = None  # points that it is high; None: as high as need be
    is_paged: bool = False  # whether there may be several pages
    legend: Point | None = None  # how wide and high what stands below the picture is

    @property
    def margin(self) -> float:
        """Points round what stands on the paper."""
        if self.width is None or self.height is None:
            return NARROW_MARGIN
        return MARGIN * min(self.width, self.height)


class Arrangement(NamedTuple):
    """Where everything stands, and how much smaller than it was laid out it is drawn."""

    places: list[dict[str, str]]  # of each part
    more: list[tuple[int, dict[str, str]]]  # the number of a frame that goes on, and where its part is
    scale: float
    # The middle of what each page shows; of a picture that is on no paper, empty.
    middles: list[Point]
    paper: Point | None  # how many points a page is wide and high
    legend: Point | None = None  # the middle of the legend

    @property
    def smallest_type(self) -> float:
        """How high the smallest type is, in points."""
        return SMALLEST * self.scale


def is_wrapped(bb: Sequence[Point], wish: Wish) -> bool:
    """Whether a picture for no paper is set in columns, of which this is the lower left and upper right."""
    (left, low), (right, high) = bb
    size = right - left, high - low
    across, along = size[::-1] if wish.rankdir in SIDEWAYS else size
    is_long = along > TALL * across and (wish.rankdir not in SIDEWAYS or along > ACROSS)
    return is_long if wish.wrap == "tall" else wish.wrap != "1"


def arrange(parts: Sequence[Part], islands: Mapping[str, int], wish: Wish) -> Arrangement:
    """Where the parts of a picture come to stand.

    `islands` has the number of the unconnected part that each box is of. Unconnected parts stand on shelves,
    each set in columns by itself.
    """
    if len(set(islands.values())) > 1:
        return _arrange_islands(parts, islands, wish)
    items = read_flow(parts, wish.rankdir)
    found = _arrange_columns(items, wish)
    if wish.is_paged and wish.height is not None and found.smallest_type < LEAST_TYPE:
        return _arrange_pages(items, wish)
    return found


def _arrange_columns(items: Sequence[Item], wish: Wish) -> Arrangement:
    """The best of several numbers of columns, on one page if on any."""
    best = _best_columns(items, wish)
    places = [write_places(item, wish.rankdir) for item in best.items]
    more = [(number, write_places(part, wish.rankdir)) for number, part in best.more]
    return _on_paper(places, more, _turn_back(round_all(best.bounds), wish), wish)


def _best_columns(items: Sequence[Item], wish: Wish) -> Columns:
    """As many columns as are asked for and can be, else the best number of them."""
    if wish.wrap.isdigit():
        ways = even_ways(find_cuts(items), int(wish.wrap))
        return set_in_columns(items, ways[max(ways)])
    wide, high = _size(round_all([item_bounds(item) for item in items]))
    best: tuple[tuple[float, ...], Columns] | None = None
    for cuts in even_ways(find_cuts(items), min(MOST_COLUMNS, round(sqrt(high / wide)) + 2)).values():
        columns = set_in_columns(items, cuts)
        badness = _badness(columns, wish)
        if best and badness > best[0]:
            break  # with every column more it gets better at first, then worse
        best = badness, columns
    assert best
    return best[1]


def _badness(columns: Columns, wish: Wish) -> tuple[float, ...]:
    """What is least for the best of several ways: on a page, the largest type; else what is least long."""
    wide, high = _size(_with_legend(_turn_back(round_all(columns.bounds), wish), wish))
    scale = _scale((wide, high), wish)
    if wish.width is None:
        return max(wide, high), min(wide, high)
    if wish.height is None:
        return -min(scale, NARROWED), high * scale
    return -round(scale, 2), len(columns.bounds)


def _scale(size: Point, wish: Wish) -> float:
    """How much smaller it must be drawn for the paper; 1 where it fits, never more."""
    fits = [1.0]
    if wish.width is not None:
        fits.append((wish.width - 2 * wish.margin) / size[0])
    if wish.height is not None:
        fits.append((wish.height - 2 * wish.margin) / size[1])
    return min(fits)


def _on_paper(
    places: list[dict[str, str]], more: list[tuple[int, dict[str, str]]], bounds: Bounds, wish: Wish
) -> Arrangement:
    """What stands within the bounds, in the middle of the paper if there is one."""
    legend = wish.legend and (bounds[0] + wish.legend[0] / 2, bounds[1] - APART - wish.legend[1] / 2)
    bounds = _with_legend(bounds, wish)
    wide, high = _size(bounds)
    scale = _scale((wide, high), wish)
    if wish.width is None:
        return Arrangement(places, more, 1.0, [], None, legend)
    paper = wish.width, wish.height or round(high * scale + 2 * wish.margin, 2)
    return Arrangement(places, more, scale, [middle_of(bounds)], paper, legend)


def _with_legend(bounds: Bounds, wish: Wish) -> Bounds:
    """The rectangle round a picture, as much larger as its legend takes."""
    if wish.legend is None:
        return bounds
    left, low, right, high = bounds
    return left, low - APART - wish.legend[1], max(right, left + wish.legend[0]), high


def _arrange_islands(parts: Sequence[Part], islands: Mapping[str, int], wish: Wish) -> Arrangement:
    """Unconnected parts on shelves that are as wide as the paper lets them be."""
    moved, more = list(parts), list[tuple[int, Part]]()
    for island in sorted(set(islands.values())):
        numbers = [number for number, part in enumerate(parts) if islands[part.of] == island]
        own = [parts[number] for number in numbers]
        left, low, right, high = round_all([part_bounds(part) for part in own])
        if is_wrapped([(left, low), (right, high)], wish):
            found = _arrange_columns(read_flow(own, wish.rankdir), Wish(wish.rankdir, wish.wrap))
            for number, places in zip(numbers, found.places, strict=True):
                moved[number] = parts[number]._replace(places=places)
            more += [(numbers[n], parts[numbers[n]]._replace(places=places)) for n, places in found.more]
    together = [*moved, *(part for _, part in more)]
    paper = wish.width, wish.height
    wide = (paper[0] - 2 * wish.margin) / (paper[1] - 2 * wish.margin) if paper[0] and paper[1] else WIDE
    placed = place_islands(together, islands, wide)
    bounds = round_all(
        [part_bounds(part._replace(places=at)) for part, at in zip(together, placed, strict=True)]
    )
    kept, others = placed[: len(parts)], placed[len(parts) :]
    goes_on = [(number, places) for (number, _), places in zip(more, others, strict=True)]
    return _on_paper(kept, goes_on, bounds, wish)


def _arrange_pages(items: Sequence[Item], wish: Wish) -> Arrangement:
    """Columns on as many pages as it takes, in type as large as lets the widest column fit."""
    cuts = find_cuts(items)
    assert wish.width is not None
    assert wish.height is not None
    paper = wish.width, wish.height
    along, across = paper[::-1] if wish.rankdir in SIDEWAYS else paper
    for scale in SCALES:
        sheet = Sheet(along / scale, wish.margin / scale)
        inner = (across - 2 * wish.margin) / scale
        columns = set_in_columns(items, fewest_columns(cuts, inner - ROOM), sheet)
        widest = max(right - left for left, _, right, _ in columns.bounds)
        highest = _size(round_all(columns.bounds))[1]
        fit = min((sheet.wide - 2 * sheet.margin) / widest, inner / highest)
        if fit >= 1:
            break
    places = [write_places(item, wish.rankdir) for item in columns.items]
    more = [(number, write_places(part, wish.rankdir)) for number, part in columns.more]
    back = TURNS[wish.rankdir][1]
    middle = sheet.margin - across / scale / 2
    count = columns.pages[-1] + 1 + bool(wish.legend)  # on a page of its own
    middles = [back(((page + 0.5) * sheet.wide, middle)) for page in range(count)]
    return Arrangement(places, more, scale * min(fit, 1.0), middles, paper, wish.legend and middles[-1])


def _turn_back(bounds: Bounds, wish: Wish) -> Bounds:
    back = TURNS[wish.rankdir][1]
    (x, y), (u, v) = back(bounds[:2]), back(bounds[2:])
    return min(x, u), min(y, v), max(x, u), max(y, v)


def _size(bounds: Bounds) -> Point:
    return bounds[2] - bounds[0], bounds[3] - bounds[1]
