"""Two sequences of symbols aligned in order: long common subsequences, in n log n whatever they hold."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

ROUNDS = 24  # how often the gaps between what is aligned are looked at again


def align_sequences(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of places with equal symbols, rising on both sides.

    Equal ends are paired first, then symbols that are unique in both, else each n-th occurrence with the
    n-th; of those as many as rise; then the gaps between them likewise.

    >>> align_sequences("abcd", "abxcd")
    [(0, 0), (1, 1), (2, 3), (3, 4)]
    >>> align_sequences("aab", "ab")
    [(0, 0), (2, 1)]
    """
    found: list[tuple[int, int]] = []
    gaps = [(0, len(one), 0, len(other), 0)]
    while gaps:
        a, a_end, b, b_end, depth = gaps.pop()
        while a < a_end and b < b_end and one[a] == other[b]:
            found.append((a, b))
            a, b = a + 1, b + 1
        while a < a_end and b < b_end and one[a_end - 1] == other[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
            found.append((a_end, b_end))
        if a == a_end or b == b_end or depth == ROUNDS:
            continue
        anchors = rising(list(_candidates(one, other, range(a, a_end), range(b, b_end))))
        if not anchors:
            continue
        found += anchors
        edges = [(a - 1, b - 1), *anchors, (a_end, b_end)]
        gaps += [
            (i + 1, i_next, j + 1, j_next, depth + 1)
            for (i, j), (i_next, j_next) in pairwise(edges)
            if i + 1 < i_next and j + 1 < j_next
        ]
    return sorted(found)


def _candidates(
    one: Sequence[Hashable], other: Sequence[Hashable], first: range, second: range
) -> Iterator[tuple[int, int]]:
    """Pairs of equal symbols, by their place in the first: unique ones, else the n-th with the n-th."""
    places: tuple[dict[Hashable, list[int]], dict[Hashable, list[int]]] = ({}, {})
    for found, symbols, part in zip(places, (one, other), (first, second), strict=True):
        for i in part:
            found.setdefault(symbols[i], []).append(i)
    both = [(mine, places[1][symbol]) for symbol, mine in places[0].items() if symbol in places[1]]
    unique = [(mine, yours) for mine, yours in both if len(mine) == len(yours) == 1]
    pairs = (pair for mine, yours in unique or both for pair in zip(mine, yours, strict=False))
    yield from sorted(pairs)


def rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """As many of the pairs, sorted by their first, as rise in their second too; in n log n.

    >>> rising([(0, 5), (1, 0), (2, 1), (3, 4)])
    [(1, 0), (2, 1), (3, 4)]
    """
    tails: list[int] = []  # of a row of each length, the lowest second that it can end in
    ends: list[int] = []  # and the pair it ends in
    before: list[int] = []
    for number, (_, second) in enumerate(pairs):
        length = bisect_left(tails, second)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [second]
        ends[length : length + 1] = [number]
    row = []
    number = ends[-1] if ends else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]
