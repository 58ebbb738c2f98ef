"""Graph × queries → the graph of the submodel that will be built. Pure.

Nested models are cut in place: an inner tensor becomes one more output of the nested model, whose
calls stay as they are, so that `training=False`, masks and casts keep their meaning and no layer
runs twice for one call. Node indexes do not change; `renumber` makes them dense.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kgraph.errors import ExtractError
from kgraph.extraction.cut import Cut, Cutting
from kgraph.extraction.last_steps import part_layers
from kgraph.extraction.mask_checks import check_beginning, check_erasers, check_links, describe_seen_masks
from kgraph.extraction.mask_nodes import ZIPS, add_mask_nodes
from kgraph.extraction.place import Names, Place, place_of
from kgraph.graph import Graph, NodeKey, Tensor, call_address, parse_address, reads_source
from kgraph.layers import every_layer, inner_path, is_nested, is_operation
from kgraph.query import Match, match
from kgraph.sources.configs.context import version_numbers
from kgraph.structures import Slots, join_slot
from kgraph.transforms.flatten import every_node
from kgraph.transforms.masks import MaskFlow, mask_flow
from kgraph.transforms.walk import flat_index

Queries = str | Tensor | Sequence[str | Tensor] | Mapping[str, str | Tensor]


@reads_source
def plan(graph: Graph, layers: Queries, inputs: Queries | None = None) -> Graph:
    """The graph of a submodel of `graph` that makes the tensors that queries name.

    Its output is bare for one exact name without a label that means one tensor, as `"avg_pool"`. Else its
    outputs are a dict: label, or shortest address, → tensor, in query order. Its inputs are those of `graph`
    that are needed, or, with `inputs`, new ones in place of the tensors named there. The key of
    `preactivation(…)` is its text; its layer keeps its name, and an `Activation` behind makes what it made.

    Raises what `select` raises, and `ExtractError` for a label used twice, for `inputs` that do not
    cut the wanted tensors off from the model's own, or across which a mask would travel, and for what
    cannot be reached.
    """
    if not graph.inputs:
        raise ExtractError(graph.name, "is not built, so its layers make no tensors")
    graph, layers = _part_activations(_without_marks(graph), layers)
    wanted = {slot: place_of(graph, tensor) for slot, tensor in _slots(graph, layers).items()}
    if inputs is None:
        cut = Cutting(graph, wanted, {}).run().graph
        check_links(graph, cut)
        check_erasers(graph, cut, mask_flow(graph))
    else:
        cut = _begin_at(graph, wanted, _stops(graph, inputs))
    return _finish(graph, cut)


def rest(graph: Graph, layers: Queries) -> Graph:
    """The graph of what a model does behind the tensors that queries name.

    Its inputs are as the outputs that `plan` gives these tensors, its outputs those of `graph`.
    Raises what `plan` raises with `inputs`.
    """
    graph, layers = _part_activations(_without_marks(graph), layers)
    stops = _stops(graph, layers)
    wanted = {slot: (tensor,) for slot, tensor in graph.outputs.items()}
    cut = _begin_at(graph, wanted, stops)
    slots = _slots(graph, layers)
    return _finish(graph, replace(cut, inputs=Slots(zip(slots, cut.inputs.values(), strict=True))))


def _part_activations(graph: Graph, layers: Queries) -> tuple[Graph, Queries]:
    """The graph with the layers parted that queries name with `preactivation`, and what they name in it."""
    keyed = _keyed_tensors(graph, layers)
    parted = part_layers(graph, [tensor for _, tensor, is_before in keyed if is_before])
    if not parted.steps:
        return graph, layers
    named: dict[str, str | Tensor] = {}
    for key, tensor, is_before in keyed:
        found = tensor if is_before else parted.after(tensor)
        if named.setdefault(key, found) != found:
            raise _twice_error(key)
    return parted.graph, named


def _finish(graph: Graph, cut: Graph) -> Graph:
    """The cut graph as it will be built: masks as Keras 3 will show them, and each object with one owner."""
    version = version_numbers(graph.keras_version) or ()
    if graph.format in ZIPS and version >= (3,):
        cut = add_mask_nodes(graph, cut, version)
    return _with_owners(cut)


def _without_marks(graph: Graph) -> Graph:
    """The graph as one of its own, if it is itself a plan of another."""
    if not any(layer.stands_for or layer.origin for _, layer in every_layer(graph)):
        return graph
    layers = (
        replace(
            layer, stands_for=None, origin=None, graph=_without_marks(layer.graph) if layer.graph else None
        )
        for layer in graph.layers
    )
    return replace(graph, layers=tuple(layers))


def _begin_at(graph: Graph, wanted: Mapping[str, Place], stops: Mapping[Tensor, str | None]) -> Graph:
    """The graph cut down to what is wanted, begun at the stops."""
    reach = Cutting(graph, wanted, dict.fromkeys(stops, "")).reach()
    taken, new = {name for name, _ in reach}, Names(layer.name for layer in graph.layers)
    names: dict[Tensor, str] = {}
    for tensor, label in stops.items():
        names[tensor] = _input_name(tensor, label, taken, new)
        taken.add(names[tensor])
        new.taken.add(names[tensor])
    cut = Cutting(graph, wanted, names).run()
    flow = mask_flow(graph)
    _check_starts(graph, cut, stops, flow)
    check_beginning(graph, cut.graph, names, flow)
    check_links(graph, cut.graph)
    check_erasers(graph, cut.graph, flow)
    return cut.graph


def _stops(graph: Graph, inputs: Queries) -> dict[Tensor, str | None]:
    """The tensors at which a submodel is to begin, each with the label it was given."""
    stops: dict[Tensor, str | None] = {}
    for key, tensor in name_tensors(graph, inputs).items():
        place = place_of(graph, tensor)
        if len(place) > 1:
            raise ExtractError(
                key, f"lies inside `{place[0].layer}`, and a submodel begins outside nested models"
            )
        if tensor in stops:
            raise ExtractError(key, "is given as an input twice")
        stops[tensor] = None if key == graph.address(tensor) else key
    return stops


def _input_name(tensor: Tensor, label: str | None, taken: set[str], new: Names) -> str:
    """The name of the input that stands for a tensor: its label, else its layer's name if that is free."""
    if label is None:
        return tensor.layer if tensor.layer not in taken else new.take(f"{tensor.layer}_input")
    if label in taken or "/" in label:
        why = "has a slash in it" if "/" in label else "is the name of a layer that is kept"
        raise ExtractError(label, f"{why}, so it cannot be the name of an input", hint="give another label")
    return label


def _quote(graph: Graph, tensors: Iterable[Tensor]) -> str:
    return ", ".join(f"`{graph.address(t)}`" for t in tensors)


def _check_starts(graph: Graph, cut: Cut, stops: Collection[Tensor], flow: MaskFlow) -> None:
    """Nothing; raises `ExtractError` if something goes round the new inputs, or they are not needed."""
    if any(t.key in cut.kept for t in graph.inputs.values() if t not in stops):
        around = _bypasses(graph, cut.kept, set(stops))
        raise ExtractError(
            graph.name,
            f"cannot begin at {_quote(graph, stops)}: {_quote(graph, around)} would go round that"
            + describe_seen_masks(flow.uses, around),
            hint="give these as inputs too",
        )
    read = {t.layer for node in cut.graph.nodes for t in node.inputs.values()}
    read |= {tensor.layer for tensor in cut.became.values()}
    for layer in cut.graph.layers:
        if layer.stands_for and layer.name not in read:
            raise ExtractError(layer.name, "is given as an input, but nothing wanted depends on it")


def _bypasses(graph: Graph, kept: frozenset[NodeKey], stops: set[Tensor]) -> list[Tensor]:
    """The tensors that bring the model's own inputs to what is wanted: not behind the new inputs, but
    read by what is, or, if nothing is, the model's inputs themselves.
    """
    behind: set[NodeKey] = set()
    found: dict[Tensor, None] = {}
    for node in graph.nodes:
        if node.key in kept and any(t in stops or t.key in behind for t in node.inputs.values()):
            behind.add(node.key)
    for node in graph.nodes:
        if node.key in behind:
            found |= dict.fromkeys(t for t in node.inputs.values() if t not in stops and t.key not in behind)
    own = [t for t in graph.inputs.values() if t.key in kept and t not in stops]
    return list(found) or own


def _with_owners(graph: Graph) -> Graph:
    """The graph with each object that stands in it twice owned by the first entry that is left of it."""
    paths = {path for path, _ in every_layer(graph)}
    owner: dict[str, str] = {}

    def set_owners(inside: Graph, prefix: str) -> Graph:
        layers = []
        for layer in inside.layers:
            same_as, path = layer.same_as, prefix + layer.name
            if same_as is not None and same_as not in paths:
                first = owner.setdefault(same_as, path)
                same_as = None if first == path else first
            inner = set_owners(layer.graph, path + "/") if layer.graph else None
            layers.append(replace(layer, same_as=same_as, graph=inner))
        return replace(inside, layers=tuple(layers))

    return set_owners(graph, "") if any(layer.same_as for _, layer in every_layer(graph)) else graph


def planned_addresses(graph: Graph, plan: Graph) -> frozenset[str]:
    """The addresses in `graph` of the nodes that a plan of it keeps, at every depth."""
    return frozenset(_walk_planned(graph, plan, "", 0))


def kept_layers(graph: Graph, plan: Graph) -> frozenset[str]:
    """The paths of the layers of `graph` that a plan of it keeps, at all depths, without nested models and
    operations, as `count_totals` counts them.
    """
    called = {parse_address(address).layer for address in planned_addresses(graph, plan)}
    layers = dict(every_layer(graph))
    return frozenset(p for p in called if not (is_nested(layers[p]) or is_operation(layers[p])))


def _walk_planned(graph: Graph, plan: Graph, path: str, call: int) -> Iterator[str]:
    names = {layer.name for layer in graph.layers}
    for node in plan.nodes:
        layer = plan.layer(node.layer)
        name = layer.source_name
        if layer.stands_for or name not in names:
            continue
        index = flat_index(graph, name, node.node_index, call)
        yield call_address(path + name, index)
        inside = graph.layer(name).graph
        if inside is not None and layer.graph is not None:
            yield from _walk_planned(inside, layer.graph, inner_path(path, graph.layer(name)), index)


def _slots(graph: Graph, layers: Queries) -> dict[str, Tensor]:
    """The tensors that queries name, by the slot that each has among the outputs: `""` for a bare one."""
    named = name_tensors(graph, layers)
    if isinstance(layers, str | Tensor) and len(named) == 1:
        (key, tensor), text = next(iter(named.items())), str(layers)
        layer, index = tensor.layer, tensor.tensor_index
        if text in (key, str(tensor), tensor.short, f"{layer}:{index}", f"{tensor.maker}:{index}"):
            return {"": tensor}
    return {join_slot("", key): tensor for key, tensor in named.items()}


def name_tensors(graph: Graph, layers: Queries) -> dict[str, Tensor]:
    """The tensors that queries name, by the key that each gets: its label or its shortest address.

    Raises `SelectError` for queries that mean what layers make before their activation.
    """
    found: dict[str, Tensor] = {}
    for key, tensor, is_before in _keyed_tensors(graph, layers):
        if is_before:
            Match(key, None, (tensor,), before_activation=True).check_tensors()
        if found.setdefault(key, tensor) != tensor:
            raise _twice_error(key)
    return found


def _twice_error(key: str) -> ExtractError:
    return ExtractError(key, "would be the key of two outputs", hint="give one of them another label")


def _keyed_tensors(graph: Graph, layers: Queries) -> list[tuple[str, Tensor, bool]]:
    """The tensors that queries name, each with its key, and whether what is before the activation is."""
    if not isinstance(layers, Collection | Iterator) or isinstance(layers, str):
        layers = [layers]
    if not layers:
        raise ExtractError(graph.name, "has nothing taken from it: no tensor is named")
    pairs = list(layers.items()) if isinstance(layers, Mapping) else [(None, query) for query in layers]
    calls = Counter(node.layer for node, _ in every_node(graph))
    found: list[tuple[str, Tensor, bool]] = []
    labels: set[str] = set()
    for (key, _), matched in zip(pairs, match(graph, *(query for _, query in pairs)), strict=True):
        label = key if key is not None else matched.label
        if label is not None and (len(matched.tensors) > 1 or label in labels):
            what = (
                f"stands for {len(matched.tensors)} tensors" if len(matched.tensors) > 1 else "is used twice"
            )
            raise ExtractError(label, f"{what}, but a label is the key of one output")
        for tensor in matched.tensors:
            name = label or (str(tensor) if calls[tensor.layer] > 1 else tensor.short)
            if label is None and matched.before_activation:
                name = f"preactivation({name})" if len(matched.tensors) > 1 else matched.query
            labels.add(name)
            found.append((name, tensor, matched.before_activation))
    return found
