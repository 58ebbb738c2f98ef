"""Graph → what it costs: multiply-accumulates, memory and parameters, by call and in sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Tensor, reads_source
from kgraph.layers import is_nested
from kgraph.reports.batch import bind_batch, call_facts, choose_batch, keras_number
from kgraph.reports.cost_rules.elementwise import count_elementwise, is_view
from kgraph.reports.cost_rules.products import possible_count
from kgraph.reports.cost_rules.rules import count_macs, macs_rule
from kgraph.reports.memory import Peak, peak_memory
from kgraph.sizes import BYTES, Size, dtype_sizes, graph_size, layer_size
from kgraph.transforms.flatten import flatten
from kgraph.transforms.shape_inference import batches_given, infer_shapes
from kgraph.transforms.shape_rules.call_facts import Facts
from kgraph.transforms.walk import Scope, Walk

NO_RULE, FREE_SIZE = "no rule", "sizes that are not known"  # why a figure is unknown
FIGURES = ("macs", "elementwise", "parameters", "activation_bytes")


@dataclass(frozen=True)
class CallCost:
    """What one call costs, for the whole batch; None where it is not known, and then `unknown` says why.

    `macs` are multiply-accumulates of convolutions and products; `elementwise` operations on single
    elements beside them, a convention (`reports/cost_rules/elementwise.py`); `parameters` those of the
    layer, at its first call, 0 at others; `activation_bytes` the tensors that the call makes, 0 for views.
    `shape` is that of the first tensor, with a free batch.
    """

    address: str
    layer: str
    class_name: str
    shape: Shape | None
    macs: int | None
    elementwise: int | None
    parameters: int | None
    activation_bytes: int | None
    unknown: str = ""
    within: tuple[str, ...] = ()  # the calls of nested models that it stands in, outermost first


@dataclass(frozen=True)
class PartCost:
    """The sum of some calls: of what is known; None where nothing is. `at_least` names the figures that lack
    the share of some call.

    `times` is how many blocks that are alike it stands for; `shape` that of the last tensor made.
    """

    name: str
    class_name: str
    calls: int
    times: int
    shape: Shape | None
    macs: int | None
    elementwise: int | None
    parameters: int | None
    activation_bytes: int | None
    at_least: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnknownClass:
    """A class of which some calls have no known multiply-accumulates, how many, and why."""

    class_name: str
    calls: int
    reason: str


@dataclass(frozen=True)
class Costs:
    """What a model costs for a batch: by call, in the order in which Keras runs them, and in sum.

    `peak` is the most memory that tensors take at once, `peak_in_place` the same with elementwise layers in
    place (`reports/memory.py` has the rules); of tensors of unknown size neither counts any, and
    `peak_at_least` tells. `size` is what the weights amount to, each variable once, `by_dtype` the same by
    dtype; None where the source does not say. `free_inputs` are the inputs whose sizes must be given for
    the figures that lack. `graph` has the shapes that the figures are for.
    """

    name: str
    source: str | None
    format: str | None
    keras_version: str | None
    batch: int
    inputs: Mapping[str, Shape | None]
    free_inputs: tuple[str, ...]
    calls: tuple[CallCost, ...]
    total: PartCost
    peak: Peak | None
    peak_in_place: Peak | None
    peak_at_least: bool
    size: Size | None
    by_dtype: Mapping[str, Size] | None
    unknown: tuple[UnknownClass, ...]
    graph: Graph = field(repr=False, compare=False)

    def __repr__(self) -> str:
        """The report as `kgraph costs` prints it."""
        from kgraph.drawing.terminal.costs_text import to_costs_text

        return to_costs_text(self, width=100).rstrip("\n")


@reads_source
def costs(
    graph: Graph,
    *,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
) -> Costs:
    """What each call of the graph, at every depth, and the whole costs, for a batch of `batch`.

    None: the batch that the inputs, or `input_shapes`, fix, else 1. `input_shapes` are as in
    `infer_shapes`. A shared layer costs at each call; a call of a nested model is the calls in it.
    Multiply-accumulates are those of inference, as TensorFlow's profiler counts them on convolutions and
    products (2.21), but for grouped and transposed convolutions and for attention, of which it tells other
    figures. Classes without a rule are unknown, and the sums then "at least".

    Raises `TypeError` for a batch that is no whole number; `GraphError` for one below 1, or another than
    the inputs fix, for batches of inputs that differ, and for input shapes that the model cannot take.

    >>> from importlib.resources import files
    >>> found = costs(files("kgraph") / "demo.keras", input_shapes={"title": (16,), "body": (64,)})
    >>> found.total.macs, found.total.parameters, found.peak.bytes
    (124656, 10605, 12384)
    """
    bound = {} if input_shapes is None else batches_given(graph, input_shapes)
    batch = choose_batch(graph, bound, batch)
    if input_shapes:
        graph = infer_shapes(graph, input_shapes)
    if bound and (rest := _free_batches(graph, batch)):
        graph = infer_shapes(graph, rest)
    flat = flatten(graph)
    facts = bind_batch(flat, batch)
    order = _run_order(graph, flat)
    calls = tuple(_call_costs(flat, order, facts))
    sizes = {tensor: n for tensor, one in facts.items() if (n := facts_bytes(one)) is not None}
    made = [t for node in order for t in node.outputs]
    return Costs(
        name=graph.name,
        source=graph.source,
        format=graph.format,
        keras_version=graph.keras_version,
        batch=batch,
        inputs={flat.address(tensor): tensor.shape for tensor in flat.inputs.values()},
        free_inputs=tuple(free_inputs(flat)),
        calls=calls,
        total=_whole(graph, calls),
        peak=peak_memory(flat, order, sizes),
        peak_in_place=peak_memory(flat, order, sizes, in_place=True),
        peak_at_least=any(tensor not in sizes for tensor in made),
        size=graph_size(graph),
        by_dtype=dtype_sizes(graph),
        unknown=_unknown_classes(calls),
        graph=graph,
    )


def _free_batches(graph: Graph, batch: int) -> dict[str, Shape]:
    """Shapes with the batch for the inputs whose own is free."""
    shapes = {slot: tensor.shape for slot, tensor in graph.inputs.items()}
    return {slot: (batch, *shape[1:]) for slot, shape in shapes.items() if shape and shape[0] is None}


def facts_bytes(facts: Facts) -> int | None:
    """The bytes of a tensor whose batch is bound; None if its shape or dtype is not known."""
    if facts.shape is None or None in facts.shape or facts.dtype not in BYTES:
        return None
    return possible_count(prod(size or 0 for size in facts.shape) * BYTES[facts.dtype])


def free_inputs(graph: Graph) -> list[str]:
    """The names of the inputs that have a free size beside the batch, or no known shape."""
    return [t.layer for t in graph.inputs.values() if t.shape is None or None in t.shape[1:]]


def _run_order(graph: Graph, flat: Graph) -> Sequence[Node]:
    """The nodes of the flat graph as Keras runs them: the inside of a nested call where that stands."""
    if not any(map(is_nested, graph.layers)):
        return [node for node in flat.nodes if not node.outside]
    walk = Walk(lambda layer, _: layer.graph if is_nested(layer) else None)
    visits = Scope(graph, walk).visits()
    return [flat.node(visit.node.outputs[0]) for visit in visits if not visit.node.outside]


def _call_costs(flat: Graph, order: Sequence[Node], facts: Mapping[Tensor, Facts]) -> list[CallCost]:
    keras, seen, wrapped = keras_number(flat), set[str](), _Wrapped()
    found = []
    for node in order:
        layer = flat.layer(node.layer)
        call = call_facts(node, layer, facts, keras)
        made = [facts[tensor] for tensor in node.outputs]
        if layer.graph is not None:
            macs, elementwise, reason = wrapped.costs_of(layer, made, call.inputs)
        else:
            macs, elementwise = count_macs(call, made), count_elementwise(call, made)
            reason = "" if macs is not None else FREE_SIZE if macs_rule(layer) else NO_RULE
        size = Size() if layer.name in seen else layer_size(layer)
        seen.add(layer.name)
        amounts = [0] if is_view(layer, node.arguments) else [facts_bytes(one) for one in made]
        found.append(
            CallCost(
                address=node.address,
                layer=layer.name,
                class_name=layer.class_name,
                shape=node.outputs[0].shape,
                macs=macs,
                elementwise=elementwise,
                parameters=size.parameters if size else None,
                activation_bytes=_sum(amounts) if None not in amounts else None,
                unknown=reason,
                within=node.within,
            )
        )
    return found


@dataclass
class _Wrapped:
    """What models in `TimeDistributed` cost, each once for the same shapes."""

    known: dict[tuple[int, Shape], tuple[int | None, int | None, str]] = field(default_factory=dict)

    def costs_of(
        self, layer: Layer, made: Sequence[Facts], inputs: Mapping[str, Facts]
    ) -> tuple[int | None, int | None, str]:
        """Multiply-accumulates and elementwise operations of a call of a wrapped model; and why not."""
        given = next(iter(inputs.values()), Facts()).shape
        if layer.class_name != "TimeDistributed" or layer.graph is None:
            return None, None, NO_RULE
        if given is None or len(given) < 3 or given[0] is None or given[1] is None:
            return None, None, FREE_SIZE
        key = (id(layer.graph), given)
        if key not in self.known:
            self.known[key] = self._steps(layer.graph, given[0] * given[1], given[2:])
        return self.known[key]

    def _steps(self, graph: Graph, batch: int, step: Shape) -> tuple[int | None, int | None, str]:
        """The steps count as more of the batch."""
        try:
            found = costs(graph, batch=batch, input_shapes={"": step})
        except GraphError:
            return None, None, FREE_SIZE
        lacks = found.total.at_least
        macs, elementwise = found.total.macs, found.total.elementwise
        reason = next((one.reason for one in found.unknown), "")
        return None if "macs" in lacks else macs, None if "elementwise" in lacks else elementwise, reason


def _sum(values: Sequence[int | None]) -> int | None:
    """The sum of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known or not values else None


def sum_calls(calls: Sequence[CallCost], name: str = "", class_name: str = "", *, times: int = 1) -> PartCost:
    """The sum of some calls, under a name."""
    columns = {figure: [getattr(call, figure) for call in calls] for figure in FIGURES}
    return PartCost(
        name=name,
        class_name=class_name,
        calls=len(calls),
        times=times,
        shape=calls[-1].shape if calls else None,
        **{figure: _sum(values) for figure, values in columns.items()},
        at_least=tuple(figure for figure, values in columns.items() if None in values),
    )


def _whole(graph: Graph, calls: Sequence[CallCost]) -> PartCost:
    return sum_calls(calls, graph.name, graph.class_name)


def _unknown_classes(calls: Sequence[CallCost]) -> tuple[UnknownClass, ...]:
    found = Counter((call.class_name, call.unknown) for call in calls if call.unknown)
    return tuple(UnknownClass(name, count, reason) for (name, reason), count in found.items())
