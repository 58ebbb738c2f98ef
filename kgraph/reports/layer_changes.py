"""What differs between layers that are each other's: names, settings, sharing, dtypes, weights, shapes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kgraph.graph import Layer, Shape, Weight
from kgraph.reports.call_index import CallIndex
from kgraph.reports.changes import END, Change
from kgraph.reports.layer_settings import changed_keys, plain_value, values_differ

Couple = tuple[str, str]  # the paths of two layers that are each other's


class LayerGroup:
    """Layers that are each other's through their calls: one and one, unless they came to be shared, or
    ceased to be.
    """

    def __init__(self, old: dict[str, int], new: dict[str, int], couples: list[Couple]) -> None:
        self.old, self.new = old, new  # paths, and how often each is called
        self.couples = couples

    @property
    def is_shared_otherwise(self) -> bool:
        """Whether calls are of other layers than they were, or more or fewer."""
        return len(self.old) > 1 or len(self.new) > 1 or [*self.old.values()] != [*self.new.values()]


def group_layers(old: CallIndex, new: CallIndex, pairs: Mapping[int, int]) -> list[LayerGroup]:
    """The layers of paired calls, those together that calls join, in the order of the old graph."""
    couples = list(dict.fromkeys((old.nodes[i].layer, new.nodes[j].layer) for i, j in sorted(pairs.items())))
    joined: dict[tuple[int, str], list[Couple]] = defaultdict(list)
    for couple in couples:
        for side, path in enumerate(couple):
            joined[side, path].append(couple)
    groups, done = [], set()
    for start in couples:
        if start in done:
            continue
        done.add(start)
        waiting, found = [start], []
        while waiting:
            couple = waiting.pop(0)
            found.append(couple)
            for side, path in enumerate(couple):
                for other in joined.pop((side, path), ()):
                    if other not in done:
                        done.add(other)
                        waiting.append(other)
        paths = [list(dict.fromkeys(couple[side] for couple in found)) for side in (0, 1)]
        counts = [
            {path: len(index.graph.nodes_of(path)) for path in own}
            for index, own in zip((old, new), paths, strict=True)
        ]
        groups.append(LayerGroup(counts[0], counts[1], found))
    return groups


def changes_of_layers(
    old: CallIndex, new: CallIndex, groups: Iterable[LayerGroup], strict: bool
) -> Iterator[Change]:
    """What differs in the layers themselves; `strict`: a setting that one side lacks is a change."""
    starts = [_first_calls(old), _first_calls(new)]
    same_format = old.graph.format == new.graph.format
    for group in groups:
        for path, new_path in group.couples:
            places = starts[0][path], starts[1][new_path]
            a, b = old.graph.layer(path), new.graph.layer(new_path)
            for change in _layer_changes(a, b, old.settings[path], new.settings[new_path], strict):
                yield replace(change, old=path, new=new_path, class_name=a.class_name, places=places)
            if same_format and bool(a.same_as) != bool(b.same_as):
                yield Change(
                    "sharing",
                    path,
                    new_path,
                    a.class_name,
                    "same object",
                    a.same_as,
                    b.same_as,
                    False,
                    places,
                )
        first, new_first = group.couples[0]
        if group.is_shared_otherwise:
            class_name = old.graph.layer(first).class_name
            places = starts[0][first], starts[1][new_first]
            yield Change(
                "sharing", first, new_first, class_name, "calls", group.old, group.new, False, places
            )


def _first_calls(index: CallIndex) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, node in enumerate(index.nodes):
        found.setdefault(node.layer, place)
    return found


def _layer_changes(
    a: Layer, b: Layer, mine: Mapping[str, Any], yours: Mapping[str, Any], strict: bool
) -> Iterator[Change]:
    for key, was, now in changed_keys(mine, yours, strict=strict):
        yield from _setting_changes(key, was, now, strict)
    if a.trainable is not None and b.trainable is not None and a.trainable != b.trainable:
        yield Change("trainable", None, None, "", "trainable", a.trainable, b.trainable)
    if "dtype" in a.config and "dtype" in b.config:
        was, now = (plain_value(layer.config["dtype"]) for layer in (a, b))
        if was is not None and now is not None and values_differ(was, now, strict=strict):
            yield Change("dtype", None, None, "", "dtype", was, now)
    yield from _weight_changes(a, b)


def _setting_changes(key: str, was: Any, now: Any, strict: bool) -> Iterator[Change]:
    """A setting that differs; of an object of one class, those settings of it that do."""
    if (
        isinstance(was, Mapping)
        and isinstance(now, Mapping)
        and was.get("class_name") == now.get("class_name")
    ):
        for inner, before, after in changed_keys(was, now, strict=strict):
            yield from _setting_changes(f"{key}.{inner}", before, after, strict)
    elif _are_lists_of_objects(was, now):
        for i, (before, after) in enumerate(zip(was, now, strict=True)):
            if values_differ(before, after, strict=strict):
                yield from _setting_changes(f"{key}[{i}]", before, after, strict)
    else:
        yield Change("setting", None, None, "", key, was, now)


def _are_lists_of_objects(was: Any, now: Any) -> bool:
    """Whether both are lists of as many objects."""
    both = isinstance(was, list) and isinstance(now, list) and len(was) == len(now)
    return both and all(isinstance(value, Mapping) for value in (*was, *now))


def _weight_changes(a: Layer, b: Layer) -> Iterator[Change]:
    """Weights of other shapes or dtypes, or of another number."""
    if a.weights is None or b.weights is None:
        return
    if len(a.weights) != len(b.weights):
        numbers = len(a.weights), len(b.weights)
        yield Change("weights", None, None, "", "number", *numbers, follows=True)
        return
    for one, other in pair_weights(a.weights, b.weights):
        name = min(one.name, other.name, key=lambda name: (len(name), name))  # either way round
        if one.shape != other.shape:
            shapes = list(one.shape), list(other.shape)
            yield Change("weights", None, None, "", name, *shapes, follows=True)
        elif one.dtype != other.dtype:
            yield Change("weights", None, None, "", name, one.dtype, other.dtype, follows=True)


def pair_weights(mine: Sequence[Weight], yours: Sequence[Weight]) -> list[tuple[Weight, Weight]]:
    """Which weights of two layers are each other's, of as many: by names if they have the same, else in
    order, if need be those of each shape; files name few weights, and do not all list them in one order.
    """
    names = {weight.name: weight for weight in yours}
    if len(names) == len(yours) and {weight.name for weight in mine} == names.keys():
        return [(weight, names[weight.name]) for weight in mine]
    shapes = [[weight.shape for weight in side] for side in (mine, yours)]
    if shapes[0] != shapes[1] and Counter(shapes[0]) == Counter(shapes[1]):
        kinds: dict[Shape, list[Weight]] = {}
        for weight in yours:
            kinds.setdefault(weight.shape, []).append(weight)
        return [(weight, kinds[weight.shape].pop(0)) for weight in mine]
    return list(zip(mine, yours, strict=True))


def changes_of_calls(
    old: CallIndex, new: CallIndex, pairs: Mapping[int, int], changed: Collection[str | None]
) -> Iterator[Change]:
    """What else calls are given, and the shapes and dtypes of what they make, where both sides know them.

    Those follow where a layer is among the `changed`, or where what it reads has others too.
    """
    moved: set[int] = set()  # old places of calls that make other shapes
    for i, j in sorted(pairs.items()):
        a, b = old.nodes[i], new.nodes[j]
        class_name = old.layers[i].class_name
        for key, was, now in changed_keys(a.arguments, b.arguments, strict=True):
            yield Change("argument", a.address, b.address, class_name, key, was, now, False, (i, j))
        same_reads = [pairs.get(place) for _, place, _ in old.reads[i]] == [p for _, p, _ in new.reads[j]]
        reads_other = not same_reads or any(place in moved for _, place, _ in old.reads[i])
        follows = reads_other or a.layer in changed or a.arguments != b.arguments
        for one, other in zip(a.outputs, b.outputs, strict=False):
            key = str(one.tensor_index)
            if one.tensor_index and not old.graph.readers(one):
                continue  # some versions of Keras are wrong about what nobody reads
            if shapes_differ(one.shape, other.shape):
                moved.add(i)
                shapes = list(one.shape or ()), list(other.shape or ())
                yield Change("shape", a.address, b.address, class_name, key, *shapes, follows, (i, j))
            if one.dtype != other.dtype and None not in (one.dtype, other.dtype):
                moved.add(i)
                dtypes = one.dtype, other.dtype
                yield Change("dtype", a.address, b.address, class_name, key, *dtypes, follows, (i, j))


def shapes_differ(one: Shape | None, other: Shape | None) -> bool:
    """Whether both are known, and not the same."""
    return one is not None and other is not None and one != other


def layers_on_one_side(index: CallIndex, kind: str, paired: Iterable[int], side: int) -> Iterator[Change]:
    """A change for each layer of which no call has another side, in graph order: how often it is called, what
    its first call reads, its settings.
    """
    taken = {index.nodes[place].layer for place in paired}
    calls = Counter(node.layer for node in index.nodes)
    done: set[str] = set()
    for place, node in enumerate(index.nodes):
        if node.layer in taken or node.layer in done:
            continue
        done.add(node.layer)
        path, class_name = node.layer, index.layers[place].class_name
        facts = {
            "calls": calls[path],
            "reads": [index.graph.address(tensor) for tensor in node.inputs.values()],
            "settings": index.settings[path],
        }
        if side == 0:
            yield Change(kind, path, None, class_name, "layer", facts, None, False, (place, END))
        else:
            yield Change(kind, None, path, class_name, "layer", None, facts, False, (END, place))
