"""Where a long picture can be cut: at heights that nothing but a few arrows crosses. Pure arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kgraph.drawing.pictures.flow import Item, item_bounds
from kgraph.drawing.pictures.islands import Bounds

MOST_CROSSING = 4  # boxes whose arrows cross a cut
MOST_COLUMNS = 24
MOST_CUTS = 120  # that are compared; of those near each other, the one that parts least
BELOW = 0.5  # points beneath a box or frame
# How many points a cut may rather lie higher or lower than part a frame, or be crossed by one more.
FRAME_COST, CROSSING_COST = 180.0, 100.0

Ways = dict[int, list["Cut"]]  # number of columns → where each begins, and where the last ends


class Cut(NamedTuple):
    """A height at which a picture can be cut; at the uppermost and the lowest, nothing is crossed."""

    height: float
    crossing: int = 0  # how many boxes' arrows cross it
    frames: int = 0  # how many frames it parts in two

    @property
    def cost(self) -> float:
        """What it costs, in points of height."""
        return self.frames * FRAME_COST + max(0, self.crossing - 1) * CROSSING_COST


def find_cuts(items: Sequence[Item], most_crossing: int = MOST_CROSSING) -> list[Cut]:
    """The cuts of a picture from above to below, its upper and its lower edge among them; in linear time.

    None goes through a box, the words on an arrow or a frame's title, nor between a title and what is below
    it, nor is it crossed by the arrows of more than four boxes.
    """
    ends = [item_bounds(item) for item in items]
    boxes = {item.start: item.at for item in items if item.kind == "box" and item.at}
    frames = [(item.at, item.holds) for item in items if item.kind == "frame" and item.at]
    solid = [*boxes.values(), *(item.label for item in items if item.label)]
    starts, stops = _merge_spans([(at[1], at[3]) for at in solid])
    around = [
        (at[1], at[3], min(boxes[name][3] for name in holds), max(boxes[name][1] for name in holds))
        for at, holds in frames
    ]
    below = sorted({at[1] - BELOW for at in (*boxes.values(), *(at for at, _ in frames))}, reverse=True)
    found = [Cut(max(at[3] for at in ends))]
    for height, crossing in zip(below, _count_crossing(items, boxes, below), strict=True):
        place = bisect_right(starts, height) - 1
        is_free = place < 0 or stops[place] <= height
        if is_free and 0 < crossing <= most_crossing:
            parted = [frame for frame in around if frame[0] < height < frame[1]]
            if all(lowest < height < highest for _, _, lowest, highest in parted):
                found.append(Cut(height, crossing, len(parted)))
    return [*found, Cut(min(at[1] for at in ends))]


def even_ways(cuts: Sequence[Cut], most: int = MOST_COLUMNS) -> Ways:
    """For each number of columns up to `most` the cuts that make them most equal and part least.

    A number for which there are too few cuts is missing; 1 is always there.
    """
    cuts = _thin(cuts)
    last = len(cuts) - 1
    # For each cut and number of columns above it: the least cost, and the cut before.
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}, *({} for _ in range(last))]
    for j in range(1, last + 1):
        for i in range(j):
            high = cuts[i].height - cuts[j].height
            cost = high * high + 2 * cuts[j].cost ** 2
            for count, (before, _) in best[i].items():
                total = before + cost
                if count < most and (count + 1 not in best[j] or total < best[j][count + 1][0]):
                    best[j][count + 1] = total, i
    return {count: _way_back(cuts, best, count) for count in sorted(best[last])}


def _way_back(cuts: Sequence[Cut], best: Sequence[Mapping[int, tuple[float, int]]], count: int) -> list[Cut]:
    place, way = len(cuts) - 1, [cuts[-1]]
    for columns in range(count, 0, -1):
        place = best[place][columns][1]
        way.append(cuts[place])
    return way[::-1]


def fewest_columns(cuts: Sequence[Cut], high: float) -> list[Cut]:
    """The cuts by which the fewest columns are at most so high; higher where it cannot be cut."""
    # For each cut: what lies above it, as too much height, columns and cost; and the cut before.
    best = [((0.0, 0, 0.0), 0)]
    for j in range(1, len(cuts)):
        options = []
        for i in range(j - 1, -1, -1):
            over = max(0.0, cuts[i].height - cuts[j].height - high)
            if over and i < j - 1:
                break
            too_much, count, cost = best[i][0]
            options.append(((too_much + over, count + 1, cost + cuts[j].cost), i))
        best.append(min(options))
    place, way = len(cuts) - 1, [cuts[-1]]
    while place:
        place = best[place][1]
        way.append(cuts[place])
    return way[::-1]


def _merge_spans(spans: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Where what the spans cover begins, from below, and where each such stretch ends."""
    starts: list[float] = []
    stops: list[float] = []
    for start, stop in sorted(spans):
        if stops and start <= stops[-1]:
            stops[-1] = max(stops[-1], stop)
        else:
            starts.append(start)
            stops.append(stop)
    return starts, stops


def _count_crossing(
    items: Sequence[Item], boxes: Mapping[str, Bounds], heights: Sequence[float]
) -> Iterator[int]:
    """How many boxes have arrows across each of the heights, which fall."""
    arrows = [item for item in items if item.kind == "arrow"]
    coming = sorted(arrows, key=lambda arrow: -boxes[arrow.start][1])
    going = sorted(arrows, key=lambda arrow: -boxes[arrow.end][3])
    crossing: Counter[str] = Counter()
    came = went = 0
    for height in heights:
        while came < len(coming) and boxes[coming[came].start][1] > height:
            crossing[coming[came].start] += 1
            came += 1
        while went < len(going) and boxes[going[went].end][3] > height:
            crossing[going[went].start] -= 1
            if not crossing[going[went].start]:
                del crossing[going[went].start]
            went += 1
        yield len(crossing)


def _thin(cuts: Sequence[Cut]) -> list[Cut]:
    """The cuts, of many the cheapest in each stretch of the height."""
    if len(cuts) <= MOST_CUTS:
        return list(cuts)
    top, bottom = cuts[0].height, cuts[-1].height
    kept: dict[int, Cut] = {}
    for cut in cuts[1:-1]:
        stretch = int((top - cut.height) / (top - bottom) * MOST_CUTS)
        if stretch not in kept or cut.cost < kept[stretch].cost:
            kept[stretch] = cut
    return [cuts[0], *kept.values(), cuts[-1]]
