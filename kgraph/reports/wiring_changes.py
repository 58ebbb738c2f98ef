"""Which calls read something else than they did, beside what added and removed calls explain.

A call that read `a` and now reads what was added after `a` reads what it did: the added call is the change.
So reads are compared with calls that have no other side left out: by the next ones above them that have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from kgraph.graph import Graph, Tensor
from kgraph.reports.call_index import CallIndex, Read
from kgraph.reports.changes import Change
from kgraph.structures import Slots

Token = tuple[int, int]  # the old place of a call, and the index of a tensor


class Wiring:
    """The reads of two aligned graphs."""

    def __init__(self, old: CallIndex, new: CallIndex, pairs: Mapping[int, int]) -> None:
        self.sides = (old, new)
        self.pairs = pairs
        self.back = {j: i for i, j in pairs.items()}
        self.floating: set[int] = set()  # old places of calls that are told to be moved

    def changes(self) -> Iterator[Change]:
        """Calls that moved from one place in a chain to another; then those that read something else."""
        changed = [i for i in sorted(self.pairs) if self._differs(i)]
        if changed:
            yield from self._moves(changed)
        for i in changed:
            if i not in self.floating and self._differs(i):
                yield self._change(i)

    def _moves(self, changed: Sequence[int]) -> Iterator[Change]:
        """The calls with one read that, taken out on both sides, leave all around them as it was."""
        for i in changed:
            j = self.pairs[i]
            if len(self.sides[0].reads[i]) != 1 or len(self.sides[1].reads[j]) != 1:
                continue
            around = [r for _, r, _ in self.sides[0].readers[i] if r in self.pairs]
            around += [self.back[r] for _, r, _ in self.sides[1].readers[j] if r in self.back]
            around = [r for r in dict.fromkeys(around) if r not in self.floating and r != i]
            before = sum(map(self._differs, around))
            if not before or not self._differs(i):
                continue
            self.floating.add(i)
            if any(map(self._differs, around)):
                self.floating.discard(i)
                continue
            change = self._change(i)
            yield replace(change, kind="moved", key="place")

    def _change(self, i: int) -> Change:
        old, new = self.sides
        j = self.pairs[i]
        return Change(
            "reads",
            old.nodes[i].address,
            new.nodes[j].address,
            old.layers[i].class_name,
            old_value=_addresses(old.graph, old.nodes[i].inputs),
            new_value=_addresses(new.graph, new.nodes[j].inputs),
            places=(i, j),
        )

    def _differs(self, i: int) -> bool:
        old, new = self.sides
        return self.reads_differ(old.reads[i], new.reads[self.pairs[i]])

    def reads_differ(self, mine: Sequence[Read], yours: Sequence[Read]) -> bool:
        """Whether two lists of reads are not the same, nor explained by calls without another side."""
        first = [self._token(0, read) for read in mine]
        second = [self._token(1, read) for read in yours]
        if None not in first and first == second:
            return [slot for slot, _, _ in mine] != [slot for slot, _, _ in yours]
        have, has = Counter(filter(None, first)), Counter(filter(None, second))
        lost, gained = have - has, has - have
        if not lost and not gained and None not in first and None not in second:
            return True  # in another order
        through_new = self._above(1, [p for (_, p, _), t in zip(yours, second, strict=True) if t is None])
        through_old = self._above(0, [p for (_, p, _), t in zip(mine, first, strict=True) if t is None])
        return any(place not in through_new for place, _ in lost) or any(
            place not in through_old for place, _ in gained
        )

    def _token(self, side: int, read: Read) -> Token | None:
        """What is read, by its old place; None for a call that has no other side."""
        _, place, index = read
        own = place if side == 0 else self.back.get(place)
        if own is None or own in self.floating or (side == 0 and place not in self.pairs):
            return None
        return own, index

    def _above(self, side: int, places: Collection[int]) -> set[int]:
        """The old places of the next calls above that have another side, through those that have none."""
        found: set[int] = set()
        waiting, done = list(places), set(places)
        while waiting:
            for read in self.sides[side].reads[waiting.pop()]:
                token = self._token(side, read)
                if token is not None:
                    found.add(token[0])
                elif read[1] not in done:
                    done.add(read[1])
                    waiting.append(read[1])
        return found


def end_changes(wiring: Wiring) -> Iterator[Change]:
    """Inputs and outputs that are others than they were, or that are given in another form."""
    old, new = wiring.sides
    for kind, mine, yours in (
        ("input", old.graph.inputs, new.graph.inputs),
        ("output", old.graph.outputs, new.graph.outputs),
    ):
        if list(mine) != list(yours):
            if kind == "output" or len(mine) == len(yours):
                yield Change(
                    kind, "", "", "", "form", _addresses(old.graph, mine), _addresses(new.graph, yours)
                )
            continue
        for slot, tensor in mine.items():
            one, other = _as_reads(old.graph, tensor), _as_reads(new.graph, yours[slot])
            if wiring.reads_differ(one, other):
                addresses = old.graph.address(tensor), new.graph.address(yours[slot])
                yield Change(kind, "", "", "", slot, *addresses)


def _addresses(graph: Graph, slots: Slots) -> dict[str, str]:
    return {slot: graph.address(tensor) for slot, tensor in slots.items()}


def _as_reads(graph: Graph, tensor: Tensor) -> list[Read]:
    return [("", graph.node_places[tensor.key], tensor.tensor_index)]
