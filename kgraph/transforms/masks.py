"""Where masks travel unseen in a graph: which tensors bear one, who made it, and who uses it. Pure.

A mask is seen where a call reads it as a tensor, at `mask` or `query_mask`: in functional models of Keras 3
that is the rule (3.0-3.15). It is unseen, hung on the tensor itself, in all of Keras 2, in a Sequential, in
and behind nested models, and for `Multiply`, `Maximum`, `Minimum` and `MultiHeadAttention`, which look at it
themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from kgraph.graph import Graph, Layer, Node, Tensor, call_address, reads_source
from kgraph.layers import every_layer, inner_path, is_nested
from kgraph.structures import argument_of
from kgraph.transforms.mask_rules import MaskRule, mask_rule_of
from kgraph.transforms.walk import bind_inputs, check_node_count, flat_index


@dataclass(frozen=True)
class Mask:
    """A mask that travels unseen beside a tensor.

    `maker`: the shortest address of the call that made it, or of the tensor that a call was given as mask.
    `sure`: whether it gets there, as it may not behind a layer of which nothing is known.
    `lost`: whether the graph begins behind its maker, so that it is not there any more.
    """

    maker: str
    sure: bool = True
    lost: bool = False


Masks = frozenset[Mask]
NONE: Masks = frozenset()


@dataclass(frozen=True)
class MaskUse:
    """A call whose numbers depend on a mask.

    `user`: its shortest address at any depth; `masks`: what it uses; `seen`: the tensor that it reads as its
    mask, None for an unseen one; `sure`: whether its layer is known to use masks; `in_training`: then alone.
    """

    user: str
    masks: Masks
    seen: Tensor | None = None
    sure: bool = True
    in_training: bool = False


@dataclass(frozen=True)
class MaskFlow:
    """The tensors of a graph that bear masks, its nested models closed, and the uses at every depth."""

    masks: Mapping[Tensor, Masks]
    uses: tuple[MaskUse, ...]

    def of(self, tensor: Tensor) -> Masks:
        """The masks that the tensor bears."""
        return self.masks.get(tensor, NONE)


@reads_source
def mask_flow(graph: Graph, given: Mapping[Tensor, Masks] | None = None) -> MaskFlow:
    """Which tensors of a graph bear a mask unseen, made by whom, and who uses one.

    `given` are masks that come with tensors of its inputs. What a layer does that is not Keras's own is not
    known: it may use, and hand on, every mask that it is given; that it makes one is not assumed, unless its
    config has `mask_zero`. The losses of outputs do not count as uses.
    """
    given = given or {}
    keras = 2 if (graph.keras_version or "3")[0] in "12" else 3
    makers = any((rule := mask_rule_of(layer, keras)) is not None and rule.makes for layer in _layers(graph))
    explicit = any(_mask_slots(node) for inside in _graphs(graph) for node in inside.nodes)
    if not makers and not explicit and not any(given.values()):
        return MaskFlow({}, ())
    check_node_count(graph)
    scope = _MaskScope(graph, keras)
    masks = scope.run(given)
    return MaskFlow({tensor: found for tensor, found in masks.items() if found}, tuple(scope.uses))


def _layers(graph: Graph) -> Iterator[Layer]:
    return (layer for _, layer in every_layer(graph))


def _graphs(graph: Graph) -> Iterator[Graph]:
    yield graph
    yield from (layer.graph for layer in _layers(graph) if layer.graph)


def _mask_slots(node: Node) -> list[str]:
    """The slots at which a call is given masks, tensors or constants."""
    return [slot for slot in (*node.inputs, *node.arguments) if _masked_argument(slot) is not None]


@cache
def _masked_argument(slot: str) -> str | None:
    """The argument whose mask stands at a slot, `""` for all that the call reads; None if it is no mask."""
    argument = argument_of(slot)
    return "" if argument == "mask" else _MASKS_OF.get(argument)


_MASKS_OF = {"query_mask": "query", "value_mask": "value", "key_mask": "key"}
_ARGUMENTS = {"0": "query", "1": "value", "2": "key"}  # of the layers that have such masks
_FIRST = ("0", "inputs", "sequences", "sequence", "query", "x")  # names of the first argument (Keras 2, 3)


@dataclass
class _MaskScope:
    """One call of a graph: under which path it lies, which call of it."""

    graph: Graph
    keras: int
    path: str = ""
    number: int = 0
    uses: list[MaskUse] = field(default_factory=list)
    masks: dict[Tensor, Masks] = field(default_factory=dict)

    def run(self, given: Mapping[Tensor, Masks], unbuilt: Masks = NONE) -> dict[Tensor, Masks]:
        """The masks of each tensor of the graph, whose inputs bear those that are given.

        `unbuilt`: what the first layer of a Sequential that was never built is given.
        """
        self.masks = dict(given)
        for node in self.graph.nodes:
            if node.key in self.graph.input_keys:
                continue
            first = not self.graph.inputs and not node.inputs
            borne = {slot: self.masks.get(t, NONE) for slot, t in _data(node)}
            if first:
                borne = {"0": unbuilt}
            made = self._call(node, borne)
            self.masks.update((t, made[t.tensor_index]) for t in node.outputs if t.tensor_index < len(made))
        return self.masks

    def _call(self, node: Node, borne: Mapping[str, Masks]) -> list[Masks]:
        """The masks on what a call makes, by the index of the tensor; its uses are noted."""
        layer = self.graph.layer(node.layer)
        carried = self._unseen_masks(node, borne)
        if layer.graph is not None and is_nested(layer):
            return self._enter(node, layer, layer.graph, carried)
        if layer.graph is not None and layer.class_name == "TimeDistributed":
            return [self._each_step(node, layer, layer.graph, carried)]
        rule = None if layer.graph is not None else mask_rule_of(layer, self.keras)
        if rule is None:
            every = NONE.union(*carried.values())
            if every:
                self._note(node, every, sure=False)
            unsure = frozenset(replace(mask, sure=False) for mask in every)
            return [unsure] * _known_outputs(node)
        self._note_uses(node, rule, borne, carried)
        made = self._masks_of_outputs(node, rule, carried)
        return [made] * (_known_outputs(node) if rule.outputs == "all" else 1)

    def _unseen_masks(self, node: Node, borne: Mapping[str, Masks]) -> dict[str, Masks]:
        """The masks of what a call reads: where it reads one as a tensor, that does not get lost."""
        seen = _mask_slots(node)
        found: dict[str, Masks] = {}
        for slot, masks in borne.items():
            own = next((s for s in seen if argument_of(s) == "mask" and _tail(s) in ("", _tail(slot))), None)
            if own is None:
                found[slot] = masks
            elif masks:
                found[slot] = frozenset(replace(mask, lost=False) for mask in masks)
            else:
                given = node.inputs.get(own)
                found[slot] = frozenset([Mask(self._address(given) if given else self._user(node))])
        return found

    def _masks_of_outputs(self, node: Node, rule: MaskRule, carried: Mapping[str, Masks]) -> Masks:
        if rule.makes:
            return frozenset([Mask(self._user(node))])
        if rule.hands_on == "no":
            return NONE
        if rule.hands_on == "first":
            return _first_masks(carried)
        if rule.hands_on == "all" and not all(carried.values()):
            return NONE
        return NONE.union(*carried.values())

    def _note_uses(
        self,
        node: Node,
        rule: MaskRule,
        borne: Mapping[str, Masks],
        carried: Mapping[str, Masks],
    ) -> None:
        slots = _mask_slots(node)
        tensors = {s: t for s, t in node.inputs.items() if s in slots}
        for slot, tensor in tensors.items():
            argument = _masked_argument(slot)
            of = [
                m
                for s, m in carried.items()
                if argument in ("", _ARGUMENTS.get(argument_of(s), argument_of(s)))
            ]
            self._note(node, NONE.union(*of), seen=tensor, in_training=rule.only_in_training)
        if rule.uses == "no" or any(argument_of(slot) == "mask" for slot in slots):
            return
        if self.keras == 3 and rule.reads_mask_argument and len({argument_of(s) for s in borne}) > 1:
            return  # `Layer.__call__` fills in `mask` for a single argument with tensors alone (3.0-3.15)
        given = {_masked_argument(slot) for slot in slots}
        unseen = {
            s: m for s, m in borne.items() if _ARGUMENTS.get(argument_of(s), argument_of(s)) not in given
        }
        used = _first_masks(unseen) if rule.uses == "first" else NONE.union(*unseen.values())
        if used:
            self._note(node, used, in_training=rule.only_in_training)

    def _note(
        self,
        node: Node,
        masks: Masks,
        seen: Tensor | None = None,
        sure: bool = True,
        in_training: bool = False,
    ) -> None:
        self.uses.append(MaskUse(self._user(node), masks, seen, sure, in_training))

    def _enter(self, node: Node, layer: Layer, graph: Graph, carried: Mapping[str, Masks]) -> list[Masks]:
        number = self.number if layer.repeats else self._index(node)
        inner = _MaskScope(graph, self.keras, inner_path(self.path, layer), number, self.uses)
        by_tensor = {t: carried.get(slot, NONE) for slot, t in _data(node)}
        bound = bind_inputs(node, graph) if graph.inputs else {}
        inside = inner.run({end: by_tensor.get(t, NONE) for end, t in bound.items()}, _first_masks(carried))
        return [inside.get(tensor, NONE) for tensor in graph.outputs.values()]

    def _each_step(self, node: Node, layer: Layer, graph: Graph, carried: Mapping[str, Masks]) -> Masks:
        """The mask on what a `TimeDistributed` model makes; its layers get the mask of each step."""
        given = _first_masks(carried)
        inner = _MaskScope(graph, self.keras, inner_path(self.path, layer), self._index(node), self.uses)
        inside = inner.run(dict.fromkeys(graph.inputs.values(), given))
        ends = NONE.union(*(inside.get(tensor, NONE) for tensor in graph.outputs.values()))
        return given | ends if self.keras == 2 else given

    def _index(self, node: Node) -> int:
        return flat_index(self.graph, node.layer, node.node_index, self.number)

    def _user(self, node: Node) -> str:
        return self._address(Tensor(*node.key))

    def _address(self, tensor: Tensor) -> str:
        index = flat_index(self.graph, tensor.layer, tensor.node_index, self.number)
        several = len(self.graph.nodes_of(tensor.layer)) > 1 or index
        path = self.path + tensor.layer
        return call_address(path, index) if several else path


def _data(node: Node) -> Iterator[tuple[str, Tensor]]:
    """What a call reads that is no mask."""
    return ((slot, t) for slot, t in node.inputs.items() if _masked_argument(slot) is None)


def _tail(slot: str) -> str:
    return slot.partition(".")[2]


def _known_outputs(node: Node) -> int:
    """How many outputs of a call are known; the source may know later ones alone."""
    return 1 + max(tensor.tensor_index for tensor in node.outputs)


def _first_masks(masks: Mapping[str, Masks]) -> Masks:
    """The masks of the first tensor of the first argument; of all, if it is not known which that is."""
    for argument in _FIRST:
        for slot, found in masks.items():
            if argument_of(slot) == argument:
                return found
    return NONE.union(*masks.values())


def find_lost_masks(flow: MaskFlow, cut: Graph, stands_for: Mapping[Tensor, Tensor]) -> list[MaskUse]:
    """The uses in a cut graph of masks that its new inputs do not bear any more.

    `stands_for`: new input → the tensor of the whole, whose flow is given, that it stands for.
    """
    given = {
        new: frozenset(replace(mask, lost=True) for mask in flow.of(tensor))
        for new, tensor in stands_for.items()
    }
    return [
        replace(use, masks=lost)
        for use in mask_flow(cut, given).uses
        if use.seen is None and (lost := frozenset(mask for mask in use.masks if mask.lost))
    ]
