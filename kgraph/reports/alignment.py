"""Two flat graphs → which calls are each other's, and why: by name, by structure, or by order.

Names come first, where they mean something: those that Keras gives do not, nor those that structure
contradicts. Then what has the same surroundings, the widest first; then the neighbours of what is paired;
what is left is aligned in order, between what is paired already. In n log n.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Literal, NamedTuple

from kgraph.reports.call_index import CallIndex, number_kinds
from kgraph.reports.order_alignment import align_sequences, rising

Why = Literal["name", "structure", "order"]
RADIUS = 6  # calls around a call that tell it from others of its kind
PASSES = 2  # over the neighbours of all pairs
COMMON = 3  # from this radius on, several that are alike are taken in order
NARROW = 24  # calls between pairs, on one side at least, among which order tells what is each other's
TRUSTED = 0.5  # of what is named alike, the share that must be alike for names to count


class Match(NamedTuple):
    """The places of two calls that are each other's, and why."""

    old: int
    new: int
    why: Why


def align_calls(old: CallIndex, new: CallIndex) -> list[Match]:
    """The calls of two flat graphs that are each other's, by their places, sorted; both of one class."""
    matcher = _Matcher(old, new)
    matcher.match_names()
    for symbols in (matcher.exact, matcher.exact, matcher.rough):
        matcher.match_surroundings(symbols)
        matcher.grow()
    matcher.match_order()
    matcher.grow()
    return sorted(Match(i, j, matcher.why[i]) for i, j in matcher.pairs.items())


class _Matcher:
    """What is paired so far."""

    def __init__(self, old: CallIndex, new: CallIndex) -> None:
        self.sides = (old, new)
        self.exact, self.rough = number_kinds(self.sides)
        self.classes = [[layer.class_name for layer in side.layers] for side in self.sides]
        self.pairs: dict[int, int] = {}
        self.back: dict[int, int] = {}
        self.why: dict[int, Why] = {}

    def pair(self, i: int, j: int, why: Why) -> bool:
        """Whether the two are each other's now."""
        if i in self.pairs or j in self.back or self.classes[0][i] != self.classes[1][j]:
            return False
        self.pairs[i], self.back[j], self.why[i] = j, i, why
        return True

    def unpaired_places(self) -> tuple[list[int], list[int]]:
        """The places on both sides that are still to be paired."""
        old = [i for i in range(len(self.sides[0].nodes)) if i not in self.pairs]
        return old, [j for j in range(len(self.sides[1].nodes)) if j not in self.back]

    # Names.

    def match_names(self) -> None:
        """Pair what has one name that somebody gave, if what is named alike is alike on the whole."""
        paths = [[node.key for node in side.nodes] for side in self.sides]
        own = [
            [(name, node.key[1]) for name, node in zip(side.own_names, side.nodes, strict=True)]
            for side in self.sides
        ]
        found = dict(self._named_alike(paths))
        taken = set(found.values())
        for i, j in self._named_alike(own):
            if i not in found and j not in taken:
                found[i] = j
        agreeing = {i for i, j in found.items() if self._agree(i, j, found)}
        if len(agreeing) < TRUSTED * len(found):
            return
        told: set[str] = set()
        for i, j in found.items():
            if not (i in agreeing or self.rough[0][i] == self.rough[1][j] or self._neighbours(i, j, found)):
                continue
            if self._calls(0, i) == self._calls(1, j):
                self.pair(i, j, "name")
            elif self._path(0, i) not in told:  # which of its calls is which, only structure tells
                told.add(self._path(0, i))
                self._tell_apart((i, j), -len(told))

    def _path(self, side: int, place: int) -> str:
        return self.sides[side].nodes[place].layer

    def _calls(self, side: int, place: int) -> int:
        return len(self.sides[side].graph.nodes_of(self._path(side, place)))

    def _tell_apart(self, places: tuple[int, int], number: int) -> None:
        """Give all calls of two layers a number that no others have."""
        for side, place in enumerate(places):
            graph = self.sides[side].graph
            for node in graph.nodes_of(self._path(side, place)):
                self.exact[side][graph.node_places[node.key]] = number

    def _named_alike(self, names: Sequence[Sequence[tuple[str, int]]]) -> Iterator[tuple[int, int]]:
        """Pairs of one name and class, unique on both sides, that Keras did not give."""
        places: list[dict[Hashable, int]] = []
        for side, keys in enumerate(names):
            classed = list(zip(keys, self.classes[side], strict=True))
            counts = Counter(classed)
            automatic = self.sides[side].automatic
            places.append({key: i for i, key in enumerate(classed) if counts[key] == 1 and not automatic[i]})
        yield from ((i, places[1][key]) for key, i in places[0].items() if key in places[1])

    def _agree(self, i: int, j: int, found: dict[int, int]) -> bool:
        return self.rough[0][i] == self.rough[1][j] and self._neighbours(i, j, found)

    def _neighbours(self, i: int, j: int, found: dict[int, int]) -> bool:
        """Whether a call that the one reads, or that reads it, is named as one of the other's, or none is."""
        old, new = self.sides
        mine = {found.get(place) for _, place, _ in (*old.reads[i], *old.readers[i])}
        yours = {place for _, place, _ in (*new.reads[j], *new.readers[j])}
        return not mine.isdisjoint(yours) or mine <= {None}

    # Structure.

    def match_surroundings(self, symbols: Sequence[Sequence[int]]) -> None:
        """Pair what has the same surroundings, from the widest to the next neighbours."""
        levels = self._surroundings(symbols)
        for radius in range(RADIUS, 0, -1):
            groups: list[dict[int, list[int]]] = [defaultdict(list), defaultdict(list)]
            for side, places in enumerate(self.unpaired_places()):
                for place in places:
                    groups[side][levels[radius][side][place]].append(place)
            for symbol, mine in groups[0].items():
                yours = groups[1].get(symbol, [])
                if len(mine) == len(yours) and (len(mine) == 1 or radius >= COMMON):
                    for i, j in zip(mine, yours, strict=True):
                        self.pair(i, j, "structure")

    def _surroundings(self, symbols: Sequence[Sequence[int]]) -> list[list[list[int]]]:
        """A number for each call of each side by what is around it, radius 0, 1, …; a pair has its own."""
        start = [list(side) for side in symbols]
        fresh = 1 + max((max(side, default=0) for side in start), default=0)
        for number, (i, j) in enumerate(self.pairs.items()):
            start[0][i] = start[1][j] = fresh + number
        levels, unpaired, first = [start], self.unpaired_places(), fresh + len(self.pairs)
        for _ in range(RADIUS):
            numbers: dict[Hashable, int] = {}
            following = []
            for index, colours, places in zip(self.sides, levels[-1], unpaired, strict=True):
                found = colours.copy()
                for place in places:
                    readers = [(slot, t, colours[p]) for slot, p, t in index.readers[place]]
                    around = (
                        colours[place],
                        tuple([(slot, t, colours[p]) for slot, p, t in index.reads[place]]),
                        tuple(sorted(readers) if len(readers) > 1 else readers),
                        index.ends.get(place),
                    )
                    found[place] = numbers.setdefault(around, first + len(numbers))
                following.append(found)
            levels.append(following)
        return levels

    def grow(self) -> None:
        """Pair the neighbours of pairs: the equal ones, down the graph and then up it; then those of one
        class.
        """
        for symbols in (self.exact, self.classes) * PASSES:
            self._grow_all(symbols)

    def _grow_all(self, symbols: Sequence[Sequence[Hashable]]) -> None:
        for direction, back in (("readers", "reads"), ("reads", "readers")):
            beside = {
                place for i in self.unpaired_places()[0] for _, place, _ in getattr(self.sides[0], back)[i]
            }
            edge = [(i, self.pairs[i]) for i in beside if i in self.pairs]
            waiting = sorted(edge, reverse=direction == "readers")
            while waiting:
                i, j = waiting.pop()
                waiting += self._grow_from(i, j, direction, symbols)

    def _grow_from(
        self, i: int, j: int, direction: str, symbols: Sequence[Sequence[Hashable]]
    ) -> Iterator[tuple[int, int]]:
        """The new pairs among the neighbours of a pair: of each symbol as many on both sides."""
        groups: list[dict[Hashable, list[int]]] = []
        for side, place in enumerate((i, j)):
            done = (self.pairs, self.back)[side]
            found: dict[Hashable, list[int]] = {}
            for slot, other, index in getattr(self.sides[side], direction)[place]:
                if other not in done:
                    found.setdefault((slot, index, symbols[side][other]), []).append(other)
            groups.append(found)
        for key, mine in groups[0].items():
            yours = groups[1].get(key, [])
            if len(mine) == len(yours):
                for one, other in zip(mine, yours, strict=True):
                    if self.pair(one, other, "structure"):
                        yield one, other

    # Order.

    def match_order(self) -> None:
        """Align what is left in order, between those pairs that rise on both sides; where there is much of
        it on both, order tells nothing.
        """
        anchors = rising(sorted(self.pairs.items()))
        firsts, seconds = [i for i, _ in anchors], [j for _, j in anchors]
        for symbols in (self.exact, self.rough, self.classes):
            gaps = [
                [(bisect_left(edges, place), place) for place in places]
                for edges, places in zip((firsts, seconds), self.unpaired_places(), strict=True)
            ]
            counts = [Counter(gap for gap, _ in side) for side in gaps]
            narrow = {gap for gap, count in counts[0].items() if min(count, counts[1][gap]) <= NARROW}
            old, new = ([place for gap, place in side if gap in narrow] for side in gaps)
            one = [(bisect_left(firsts, i), symbols[0][i]) for i in old]
            other = [(bisect_left(seconds, j), symbols[1][j]) for j in new]
            for a, b in align_sequences(one, other):
                self.pair(old[a], new[b], "order")
        self._drop_unlikely()

    def _drop_unlikely(self) -> None:
        """Take apart what order alone has paired, where neither reads nor readers are each other's."""
        waiting = [i for i, why in self.why.items() if why == "order"]
        while waiting:
            i = waiting.pop()
            if i not in self.pairs or self.why[i] != "order" or self._fits(i, self.pairs[i]):
                continue
            del self.back[self.pairs.pop(i)], self.why[i]
            old = self.sides[0]
            waiting += [place for _, place, _ in (*old.reads[i], *old.readers[i])]

    def _fits(self, i: int, j: int) -> bool:
        """Whether a call that the one reads is one that the other reads, or one that reads it does; and not,
        where both read one call, that those have other sides. What has no other side is looked past.
        """
        old, new = self.sides
        if len(old.reads[i]) == len(new.reads[j]) == 1:
            one, other = old.reads[i][0][1], new.reads[j][0][1]
            if one in self.pairs and other in self.back and self.pairs[one] != other:
                return False
        if not old.reads[i] and not new.reads[j]:
            return True
        return any(
            not self._near(0, i, direction).isdisjoint(self._near(1, j, direction))
            for direction in ("reads", "readers")
        )

    def _near(self, side: int, place: int, direction: str) -> set[int]:
        """The next calls that have another side, by their old places."""
        found: set[int] = set()
        waiting, done = [place], {place}
        while waiting and len(done) < NARROW:
            for _, other, _ in getattr(self.sides[side], direction)[waiting.pop()]:
                if side == 0 and other in self.pairs:
                    found.add(other)
                elif side == 1 and other in self.back:
                    found.add(self.back[other])
                elif other not in done:
                    done.add(other)
                    waiting.append(other)
        return found
