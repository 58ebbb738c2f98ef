"""Shapes of every tensor of a graph, and of each call of its nested models, from those of its inputs.

Sizes that are not known while others of the same tensor are (`UNSURE`) stay inside this room: what
leaves it is a whole shape, or None.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, NodeKey, Shape, Tensor
from kgraph.layers import is_operation
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, WrongSizeError
from kgraph.transforms.shape_rules.rules import infer_outputs, rule_of
from kgraph.transforms.walk import bind_inputs

UNSURE = -1  # a size that is not known, where its axis is
RANKS = range(1, 7)  # that an input of unknown rank may have
TRIED = (
    840,
    1201,
)  # sizes that stand for one that is not known; what they and a free one give is beyond doubt
TRIAL = 7  # how many nodes are evaluated in the time that one takes with sizes that are not known
MOST_NODES = 20_000  # to evaluate again, for calls of nested models on other shapes than their own


@dataclass
class Evaluation:
    """What one call of a graph makes: facts of its tensors, and the evaluations of the calls in it.

    `is_nominal`: it is on the graph's own shapes, so those recorded hold, and only others are in `facts`.
    """

    facts: dict[Tensor, Facts]
    is_nominal: bool
    inner: dict[NodeKey, Evaluation] = field(default_factory=dict)

    def facts_of(self, tensor: Tensor) -> Facts:
        """What is known of a tensor of the graph, given as the graph has it."""
        found = self.facts.get(tensor)
        if found is None:
            return Facts(tensor.shape, tensor.dtype) if self.is_nominal else Facts()
        return found


@dataclass
class Propagation:
    """Evaluates graphs, each once for the same shapes. `strict`: sizes that cannot be are errors."""

    keras: int
    strict: bool = False
    left: int = MOST_NODES
    known: dict[tuple[int, tuple[Facts, ...]], Evaluation] = field(default_factory=dict)

    def evaluate(self, graph: Graph, given: Sequence[Facts], path: str = "") -> Evaluation:
        """What the graph makes of tensors given to its inputs; a Sequential never built has no inputs."""
        key = (id(graph), tuple(given))
        if key not in self.known:
            own = [tensor.shape for tensor in graph.inputs.values()]
            is_nominal = None not in own and [shape for shape, _ in given] == own
            self.left -= 0 if is_nominal else len(graph.nodes)
            facts = dict(zip(graph.inputs.values(), given, strict=bool(graph.inputs)))
            start = given[0] if given else None
            self.known[key] = _Run(self, graph, Evaluation(facts, is_nominal), path, start).evaluation()
        return self.known[key]


@dataclass
class _Run:
    """One evaluation on its way; `start`: what is given to a Sequential that has no inputs."""

    whole: Propagation
    graph: Graph
    found: Evaluation
    path: str
    start: Facts | None
    # What has a free batch, though its shape is not known: what layers make of nothing else.
    batched: set[Tensor] = field(default_factory=set)

    def evaluation(self) -> Evaluation:
        for node in self.graph.nodes:
            if node.key not in self.graph.input_keys:
                self._add(node)
        return self.found

    def _add(self, node: Node) -> None:
        layer = self.graph.layer(node.layer)
        is_open = layer.graph is not None and not node.outside
        if (
            self.found.is_nominal
            and not is_open
            and None not in [d for t in node.outputs for d in (t.shape, t.dtype)]
        ):
            return
        made = self._enter(node, layer) if is_open else self._infer(node, layer)
        for index, tensor in enumerate(node.outputs):
            own = made[index] if made is not None and index < len(made) else Facts()
            facts = self.found.facts[tensor] = self._join(tensor, own, layer, node)
            if not facts.shape and self._keeps_batch(node, layer):
                self.batched.add(tensor)

    def _join(self, recorded: Tensor, own: Facts, layer: Layer, node: Node) -> Facts:
        """What is recorded, where that holds; else what is worked out, or what is beyond doubt in both."""
        dtype = recorded.dtype or own.dtype
        if self.found.is_nominal and recorded.shape is not None:
            return Facts(recorded.shape, dtype)
        if own.shape is not None or node.outside:
            return Facts(own.shape, dtype)
        return Facts(self._sizes_that_stay(recorded.shape, layer, node), dtype)

    def _sizes_that_stay(self, recorded: Shape | None, layer: Layer, node: Node) -> Shape | None:
        """The sizes that a layer without a rule makes whatever free sizes of its inputs become.

        A fixed size in a shape that Keras worked out for inputs of free sizes is one for all. So is the rank.
        """
        if not recorded or not all(_is_refined(t.shape, self._shape(t)) for t in node.inputs.values()):
            return None
        batch = recorded[0] if recorded[0] is not None or self._keeps_batch(node, layer) else UNSURE
        return (batch, *(UNSURE if d is None else d for d in recorded[1:]))

    def _keeps_batch(self, node: Node, layer: Layer) -> bool:
        """Whether what the node makes has a free batch: what layers make has the batch of what they read.

        A model cannot be trained, nor `predict`, where that is not so; operations may join, or sum, batches.
        """
        return (
            not is_operation(layer) and bool(node.inputs) and all(map(self._is_batched, node.inputs.values()))
        )

    def _is_batched(self, tensor: Tensor) -> bool:
        shape = self._shape(tensor)
        return shape[:1] == (None,) if shape else tensor in self.batched

    def _shape(self, tensor: Tensor) -> Shape | None:
        return self.found.facts_of(tensor).shape

    def _inputs(self, node: Node) -> dict[str, Facts]:
        if not node.inputs and not self.graph.inputs and self.start:
            return {"0": self.start}
        return {slot: self.found.facts_of(tensor) for slot, tensor in node.inputs.items()}

    def _infer(self, node: Node, layer: Layer) -> Sequence[Facts] | None:
        """What the rule of the layer's class gives."""
        if node.outside or rule_of(layer) is None:
            return None
        inputs = self._inputs(node)
        if any(shape is None or UNSURE in shape for shape, _ in inputs.values()):
            return self._infer_from_some(node, layer, inputs)
        try:
            return infer_outputs(CallFacts(layer, inputs, node.arguments, self.whole.keras))
        except WrongSizeError as error:
            if self.whole.strict:
                raise GraphError(f"with these input shapes, `{self.path}{node.layer}` {error}") from error
            return None

    def _infer_from_some(
        self, node: Node, layer: Layer, inputs: Mapping[str, Facts]
    ) -> Sequence[Facts] | None:
        """What the rule gives whatever the sizes that are not known may be."""
        if self.whole.left <= 0:
            return None
        self.whole.left -= TRIAL
        batched = {slot for slot, tensor in node.inputs.items() if self._is_batched(tensor)}
        layer = replace(layer, weights=None)  # whose rows the sizes that are tried need not fit
        results: list[Sequence[Facts]] = []
        for rank in RANKS if any(shape is None for shape, _ in inputs.values()) else (0,):
            made = [
                self._try(layer, node, _bind_sizes(inputs, batched, rank, size)) for size in (None, *TRIED)
            ]
            free, *fixed = made
            if free is not None and not any(fixed):  # nothing says what a free size stands for
                fixed = [[_without_free(facts) for facts in free]]
            results += [one for one in (free, *fixed) if one is not None]
        return _agreement(results)

    def _try(self, layer: Layer, node: Node, inputs: Mapping[str, Facts]) -> Sequence[Facts] | None:
        try:
            return infer_outputs(CallFacts(layer, inputs, node.arguments, self.whole.keras))
        except WrongSizeError:
            return None

    def _enter(self, node: Node, layer: Layer) -> Sequence[Facts] | None:
        """What a nested model makes, or one in a wrapper, of which only `TimeDistributed` is known."""
        graph, given = layer.graph, self._inputs(node)
        if self.whole.left <= 0 or graph is None:
            return None
        steps: Shape = ()
        if layer.wraps:
            shape = next(iter(given.values()), Facts()).shape
            if layer.class_name != "TimeDistributed" or shape is None or len(shape) < 3:
                return None
            steps = shape[1:2]
            given = {slot: Facts(_without_steps(facts.shape), facts.dtype) for slot, facts in given.items()}
        try:
            bound = _bind_facts(node, graph, given)
        except GraphError:
            return None
        evaluation = self.whole.evaluate(graph, bound, f"{self.path}{layer.name}/")
        self.found.inner[node.key] = evaluation
        made = [evaluation.facts_of(tensor) for tensor in graph.outputs.values()]
        return [
            Facts(None if shape is None else (*shape[:1], *steps, *shape[1:]), dtype) for shape, dtype in made
        ]


def _without_steps(shape: Shape | None) -> Shape | None:
    return None if shape is None or len(shape) < 3 else (*shape[:1], *shape[2:])


def _bind_facts(node: Node, graph: Graph, given: Mapping[str, Facts]) -> list[Facts]:
    """What a call gives to each input of a graph; of one that is given nothing, its own shape."""
    if not graph.inputs:
        return list(given.values())[:1]
    bound = bind_inputs(node, graph)
    by_tensor = {tensor: given[slot] for slot, tensor in node.inputs.items() if slot in given}
    return [
        _fit_input(tensor, by_tensor.get(bound[tensor], Facts()))
        if tensor in bound
        else Facts(tensor.shape, tensor.dtype)
        for tensor in graph.inputs.values()
    ]


def _fit_input(tensor: Tensor, given: Facts) -> Facts:
    """What an input of a model bears when it is given something, as Keras fits it to the input's own rank.

    `Functional._adjust_input_rank` (3.0-3.15) adds a last axis of 1, or takes it away. Of a shape that is
    not known, the sizes that the model was made for hold, as Keras checks them, and its batch.
    """
    own, shape, dtype = tensor.shape, given.shape, tensor.dtype or given.dtype
    if own is None:
        return Facts(shape, dtype)
    if shape is None:
        return Facts((*own[:1], *(UNSURE if d is None else d for d in own[1:])), dtype)
    if len(shape) == len(own) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    elif len(shape) == len(own) - 1 and own[-1] == 1:
        shape = (*shape, 1)
    if len(shape) == len(own):
        shape = tuple(b if a == UNSURE and b is not None else a for a, b in zip(shape, own, strict=True))
    return Facts(shape, dtype)


def _is_refined(own: Shape | None, given: Shape | None) -> bool:
    """Whether a shape is another one with free sizes bound."""
    if own is None or given is None or len(own) != len(given):
        return False
    return all(a in (None, b) for a, b in zip(own, given, strict=True))


def _bind_sizes(
    inputs: Mapping[str, Facts], batched: Collection[str], rank: int, size: int | None
) -> dict[str, Facts]:
    """The inputs with a size for each that is not known, and a rank for each that has none."""
    bound = {}
    for slot, (shape, dtype) in inputs.items():
        whole = (None if slot in batched else UNSURE, *[UNSURE] * (rank - 1)) if shape is None else shape
        bound[slot] = Facts(tuple(size if d == UNSURE else d for d in whole), dtype)
    return bound


def _without_free(facts: Facts) -> Facts:
    """The facts without free sizes other than the batch."""
    shape, dtype = facts
    return Facts(shape and (*shape[:1], *(UNSURE if d is None else d for d in shape[1:])), dtype)


def _agreement(results: Sequence[Sequence[Facts]]) -> list[Facts] | None:
    """What all results have in common; None if not even the number of outputs."""
    if not results or len({len(result) for result in results}) != 1:
        return None
    return [_common([result[i] for result in results]) for i in range(len(results[0]))]


def _common(facts: Sequence[Facts]) -> Facts:
    dtypes = {dtype for _, dtype in facts}
    shapes = [shape for shape, _ in facts if shape is not None]
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    if len(shapes) < len(facts) or len({len(shape) for shape in shapes}) != 1:
        return Facts(None, dtype)
    columns = [set(column) for column in zip(*shapes, strict=True)]
    return Facts(tuple(column.pop() if len(column) == 1 else UNSURE for column in columns), dtype)


def whole_shape(shape: Shape | None) -> Shape | None:
    """The shape, or None if a size in it is not known."""
    return None if shape is None or UNSURE in shape else shape
