"""Random models and random edits of them, with the truth: which calls of the one are which of the other.

A model is first a plain plan: calls by number, each of a part (a layer to be), with what it reads. An edit
changes the plan; calls keep their numbers, so the truth is known. Then plans become graphs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kgraph.graph import Graph, Layer, Node, Tensor, Weight
from kgraph.reports.layer_settings import snake_case
from kgraph.structures import Slots
from kgraph.transforms.toposort import order_nodes

WORDS = (
    "stem", "trunk", "gate", "mix", "head", "tail", "proj", "scale", "norm", "pool", "lift", "fuse", "skip",
    "main", "side", "deep",
)  # fmt: skip
MERGES = ("Concatenate", "Add", "Subtract")


@dataclass
class Part:
    """A layer to be: class, settings, and a name that somebody gave it, if one did."""

    class_name: str
    config: dict[str, Any]
    name: str | None = None
    trainable: bool = True


@dataclass
class Plan:
    """Calls by number: which part, what it reads; the order they were made in; chains that are nested."""

    parts: dict[int, Part] = field(default_factory=dict)
    part_of: dict[int, int] = field(default_factory=dict)
    reads: dict[int, list[int]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    nests: list[tuple[str | None, list[int]]] = field(default_factory=list)
    next: int = 0

    def readers(self, call: int) -> list[int]:
        return [other for other in self.order if call in self.reads[other]]

    def nested(self) -> set[int]:
        return {call for _, calls in self.nests for call in calls}

    def calls_of(self, part: int) -> list[int]:
        return [call for call in self.order if self.part_of[call] == part]


def random_part(random: Random, named: bool, used: set[str]) -> Part:
    """A layer with random settings."""
    kinds: Sequence[tuple[str, dict[str, Any]]] = (
        (
            "Dense",
            {
                "units": random.choice([16, 32, 64, 128]),
                "activation": random.choice(["relu", "linear", "tanh"]),
            },
        ),
        ("Conv1D", {"filters": random.choice([16, 32, 64]), "kernel_size": [random.choice([1, 3, 5])]}),
        ("Dropout", {"rate": random.choice([0.1, 0.2, 0.3, 0.4, 0.5])}),
        ("BatchNormalization", {"axis": -1, "momentum": 0.99}),
        ("Activation", {"activation": random.choice(["relu", "gelu", "silu"])}),
        ("LayerNormalization", {"axis": [-1], "epsilon": 0.001}),
    )
    weights = (5, 5, 2, 3, 2, 1)
    class_name, config = random.choices(kinds, weights)[0]
    return Part(class_name, config, random_name(random, used) if named else None)


def random_name(random: Random, used: set[str]) -> str:
    """A name nothing has yet, as people give them."""
    while (name := f"{random.choice(WORDS)}{random.randint(1, 999)}_{random.choice(WORDS)}") in used:
        pass
    used.add(name)
    return name


def random_plan(random: Random, named: bool, size: int) -> tuple[Plan, set[str]]:
    """A model of about that many calls: chains, branches that meet again, and some shared layers."""
    plan, used = Plan(), set[str]()

    def add(part: Part | int, reads: list[int]) -> int:
        number = plan.next
        plan.next += 1
        if isinstance(part, Part):
            plan.parts[number] = part
            part = number
        plan.part_of[number] = part
        plan.reads[number] = reads
        plan.order.append(number)
        return number

    last = add(Part("InputLayer", {}, random_name(random, used) if named else None), [])
    while len(plan.order) < size:
        if random.random() < 0.25:
            ends = []
            for _ in range(random.randint(2, 3)):
                end = last
                for _ in range(random.randint(1, 3)):
                    end = add(random_part(random, named, used), [end])
                ends.append(end)
            merge = Part(random.choice(MERGES[: 2 if len(ends) > 2 else 3]), {})
            merge.name = random_name(random, used) if named else None
            last = add(merge, ends)
        elif random.random() < 0.06 and len(plan.order) > 5:
            shared = plan.part_of[random.choice(plan.order[1:])]
            if len(plan.reads[plan.calls_of(shared)[0]]) == 1:
                last = add(shared, [last])
        else:
            last = add(random_part(random, named, used), [last])
    return plan, used


# The edits: each changes a plan, and is False where it finds nothing to change.


def insert(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    before = random.choice(plan.order)
    readers = plan.readers(before)
    if not readers or before in plan.nested():
        return False
    number = plan.next
    plan.next += 1
    plan.parts[number] = random_part(random, named, used)
    plan.part_of[number], plan.reads[number] = number, [before]
    plan.order.insert(plan.order.index(before) + 1, number)
    for reader in readers:
        plan.reads[reader] = [number if read == before else read for read in plan.reads[reader]]
    return True


def delete(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    call = random.choice(plan.order)
    alone = len(plan.calls_of(plan.part_of[call])) == 1
    if len(plan.reads[call]) != 1 or not plan.readers(call) or call in plan.nested() or not alone:
        return False
    above = plan.reads[call][0]
    for reader in plan.readers(call):
        plan.reads[reader] = [above if read == call else read for read in plan.reads[reader]]
    plan.order.remove(call)
    del plan.reads[call], plan.parts[plan.part_of.pop(call)]
    return True


def rename(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    plan.parts[random.choice([*plan.parts])].name = random_name(random, used)
    return True


def nest(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    chain = [random.choice(plan.order[1:])]
    taken = plan.nested()
    for _ in range(random.randint(1, 4)):
        following = plan.readers(chain[-1])
        if len(following) != 1 or len(plan.reads[following[0]]) != 1:
            break
        chain += following
    shared = any(len(plan.calls_of(plan.part_of[call])) > 1 for call in chain)
    if shared or len(plan.reads[chain[0]]) != 1 or len(chain) < 2 or taken.intersection(chain):
        return False
    plan.nests.append((random_name(random, used) if named else None, chain))
    return True


def share(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    kinds: dict[str, list[int]] = {}
    nested = plan.nested()
    for call in plan.order:
        part = plan.parts[plan.part_of[call]]
        if part.class_name not in MERGES and plan.reads[call] and call not in nested:
            kinds.setdefault(f"{part.class_name} {part.config} {part.trainable}", []).append(call)
    couples = [calls for calls in kinds.values() if len({plan.part_of[call] for call in calls}) > 1]
    if not couples:
        return False
    one, other = sorted(random.sample(random.choice(couples), 2))
    kept, lost = plan.part_of[one], plan.part_of[other]
    if kept == lost or len(plan.calls_of(lost)) > 1:
        return False
    plan.part_of[other] = kept
    del plan.parts[lost]
    return True


def unshare(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    shared = [part for part, count in Counter(plan.part_of.values()).items() if count > 1]
    if not shared:
        return False
    part = random.choice(shared)
    number = plan.next
    plan.next += 1
    plan.parts[number] = deepcopy(plan.parts[part])
    plan.parts[number].name = random_name(random, used) if named else None
    plan.part_of[plan.calls_of(part)[-1]] = number
    return True


def change_setting(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    part = plan.parts[random.choice([*plan.parts])]
    numbers = [key for key in ("units", "filters") if key in part.config]
    if not numbers:
        return False
    part.config[numbers[0]] += random.randint(1, 50)
    return True


def freeze(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    parts = [part for part in plan.parts.values() if part.trainable]
    for part in parts[: random.randint(1, 1 + len(parts) // 2)]:
        part.trainable = False
    return bool(parts)


def swap(plan: Plan, random: Random, named: bool, used: set[str]) -> bool:
    merges = [c for c in plan.order if len(plan.reads[c]) > 1 and plan.reads[c][0] != plan.reads[c][-1]]
    if not merges:
        return False
    reads = plan.reads[random.choice(merges)]
    reads[0], reads[-1] = reads[-1], reads[0]
    return True


EDITS: tuple[Callable[[Plan, Random, bool, set[str]], bool], ...] = (
    insert, delete, rename, nest, share, unshare, change_setting, freeze, swap,
)  # fmt: skip


@dataclass(frozen=True)
class EditedModel:
    """Two graphs, the edits between them, and the calls of the flat graphs that are each other's."""

    old: Graph
    new: Graph
    edits: tuple[str, ...]
    truth: tuple[tuple[str, str], ...]


def edited_model(seed: int, *, named: bool, size: int = 40, most: int = 5) -> EditedModel:
    """A random model before and after some edits; `named`: layers have names that somebody gave them."""
    random = Random(seed)
    plan, used = random_plan(random, named, size)
    before = deepcopy(plan)
    edits: list[str] = []
    wanted = random.randint(1, most)
    while len(edits) < wanted:
        edit = random.choice(EDITS)
        if edit(plan, random, named, used):
            edits.append(edit.__name__)
    old, old_places = to_graph(before)
    new, new_places = to_graph(plan)
    kept = [call for call in before.order if call in new_places]
    return EditedModel(old, new, tuple(edits), tuple((old_places[c], new_places[c]) for c in kept))


def to_graph(plan: Plan) -> tuple[Graph, dict[int, str]]:
    """The graph of a plan, and the address that each call has in the flat graph.

    Names that nobody gave are Keras's: of the class, with a number for each layer after the first.
    """
    counts: Counter[str] = Counter()

    def name_of(part: str | None, class_name: str) -> str:
        if part is not None:
            return part
        snake = snake_case(class_name)
        counts[snake] += 1
        return snake if counts[snake] == 1 else f"{snake}_{counts[snake] - 1}"

    names: dict[int, str] = {}
    for call in plan.order:
        part = plan.part_of[call]
        if part not in names:
            names[part] = name_of(plan.parts[part].name, plan.parts[part].class_name)
    heads = {calls[0]: (name_of(name, "Functional"), calls) for name, calls in plan.nests}
    inside = {call: head for head, (_, calls) in heads.items() for call in calls}
    made: dict[int, Tensor] = {}
    addresses: dict[int, str] = {}
    layers: dict[str, Layer] = {}
    nodes: list[Node] = []
    index: Counter[str] = Counter()

    def add(layer: Layer, inputs: list[Tensor]) -> Tensor:
        layers.setdefault(layer.name, layer)
        tensor = Tensor(layer.name, index[layer.name])
        index[layer.name] += 1
        slots = {"0": inputs[0]} if len(inputs) == 1 else {f"0.{i}": t for i, t in enumerate(inputs)}
        nodes.append(Node(*tensor.key, Slots(slots)))
        return tensor

    for call in plan.order:
        if call in inside and inside[call] != call:
            continue
        reads = [made[read] for read in plan.reads[call]]
        if call in heads:
            name, calls = heads[call]
            graph, places = _chain_graph(plan, name, calls, names)
            made[calls[-1]] = add(Layer(name, "Functional", graph, module="keras"), reads)
            addresses.update({inner: f"{name}/{place}" for inner, place in places.items()})
        else:
            tensor = made[call] = add(
                _layer(plan.parts[plan.part_of[call]], names[plan.part_of[call]]), reads
            )
            addresses[call] = str(tensor)
    first, last = made[plan.order[0]], made[_last_call(plan)]
    ordered = order_nodes(list(layers.values()), nodes)
    graph = Graph(
        "model",
        tuple(layers.values()),
        ordered,
        Slots({"": first}),
        Slots({"": last}),
        keras_version="3.15.1",
    )
    return graph, addresses


def _last_call(plan: Plan) -> int:
    """The call that nothing reads."""
    read = {source for reads in plan.reads.values() for source in reads}
    return next(call for call in reversed(plan.order) if call not in read)


def _layer(part: Part, name: str) -> Layer:
    weights = (Weight("kernel", (3, 3), "float32", part.trainable),) if "units" in part.config else ()
    config = {"name": name, "trainable": part.trainable, **part.config}
    return Layer(
        name, part.class_name, module="keras.layers", config=config, trainable=part.trainable, weights=weights
    )


def _chain_graph(
    plan: Plan, name: str, calls: list[int], names: dict[int, str]
) -> tuple[Graph, dict[int, str]]:
    """The inside of a nested model: its calls in a row."""
    last = Tensor("input_layer")
    layers, nodes = (
        [Layer("input_layer", "InputLayer", module="keras.layers", weights=())],
        [Node("input_layer")],
    )
    places = {}
    for call in calls:
        part = plan.part_of[call]
        layers.append(_layer(plan.parts[part], names[part]))
        nodes.append(Node(names[part], 0, Slots({"0": last})))
        last = Tensor(names[part])
        places[call] = str(last)
    graph = Graph(name, tuple(layers), tuple(nodes), Slots({"": Tensor("input_layer")}), Slots({"": last}))
    return graph, places
