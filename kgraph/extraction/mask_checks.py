"""What a cut would do to masks that travel unseen; a cut that would lose one is refused. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from kgraph.errors import ExtractError
from kgraph.graph import Graph, Layer, Tensor, parse_address
from kgraph.transforms.masks import Mask, MaskFlow, MaskUse, find_lost_masks, mask_flow


def check_beginning(graph: Graph, cut: Graph, stops: Mapping[Tensor, str], flow: MaskFlow) -> None:
    """None; raises `ExtractError` if a mask would not reach who uses it in a cut of a graph.

    `stops`: where the cut begins, each with the name of its new input; `flow`: that of the whole graph.
    """
    lost = find_lost_masks(flow, cut, {Tensor(name): tensor for tensor, name in stops.items()})
    if not lost:
        return
    places = ", ".join(f"`{graph.address(tensor)}`" for tensor in stops)
    maker, words = _describe_loss(lost)
    raise ExtractError(
        graph.name,
        f"cannot begin at {places}: {words}",
        hint=f"begin before `{maker}`, or behind `{lost[0].user}`",
    )


def check_erasers(graph: Graph, cut: Graph, flow: MaskFlow) -> None:
    """None; raises `ExtractError` if a call that takes a mask off the tensor that it reads is left out, and
    one that uses that mask unseen is kept: which of the two comes first decides its numbers.

    `MultiHeadAttention.call` sets the masks of its inputs to None (Keras 3.15).
    """
    if not flow.masks or (graph.keras_version or "3")[0] in "12":
        return
    kept = {(cut.layer(node.layer).source_name, node.node_index) for node in cut.nodes}
    unseen = {use.user.partition("#")[0].partition("/")[0] for use in flow.uses if use.seen is None}
    for node in graph.nodes:
        if graph.layer(node.layer).class_name != "MultiHeadAttention" or node.key in kept:
            continue
        for tensor in node.inputs.values():
            for reader, _ in graph.readers(tensor) if flow.of(tensor) else ():
                if reader.key in kept and reader.layer in unseen:
                    raise ExtractError(
                        reader.layer,
                        f"uses a mask of `{graph.address(tensor)}`, which `{node.layer}` takes off it in the "
                        "whole model",
                        hint=f"take an output of `{node.layer}` too",
                    )


def describe_seen_masks(uses: Iterable[MaskUse], around: Collection[Tensor]) -> str:
    """Of tensors that go round new inputs, the first that is a mask: who made it and who uses it."""
    for use in uses:
        if use.seen in around and use.masks:
            return f" (a mask made by `{_maker(use)}` is used by `{use.user}`)"
    return ""


def check_links(graph: Graph, cut: Graph) -> None:
    """None; raises `ExtractError` if a wrapped model is cut where a mask would get lost, or into one that
    it did not get before.
    """
    links = list(_mask_links(graph, cut))
    if not links:
        return
    flow = mask_flow(graph)
    given = [False, True] if flow.masks or flow.uses else [False]
    wholes: dict[tuple[int, str, bool], MaskFlow] = {}  # of each wrapped model, which may have many links
    for inside, link in links:
        for is_masked in given:
            key = id(inside), link.source_name, is_masked
            if key not in wholes:
                masks = dict.fromkeys(inside.inputs.values(), _mask_of(link)) if is_masked else {}
                wholes[key] = mask_flow(replace(inside, keras_version=graph.keras_version), masks)
            _check_link(wholes[key], link, graph.keras_version, is_masked)


def _mask_links(graph: Graph, cut: Graph) -> Iterator[tuple[Graph, Layer]]:
    """The links of wrappers that begin in the middle, at every depth, with the whole of the model in each."""
    for layer in cut.layers:
        before = graph.layer(layer.source_name).graph if layer.source_name in graph else None
        if layer.graph is None or before is None:
            continue
        if layer.wraps and any(end.stands_for for end in layer.graph.layers):
            yield before, layer
        yield from _mask_links(before, layer.graph)


def _check_link(whole: MaskFlow, link: Layer, keras_version: str | None, is_masked: bool) -> None:
    """None; raises as `check_links`. `whole`: the flow of the wrapped model, given a mask or not."""
    assert link.graph is not None
    start = next(layer for layer in link.graph.layers if layer.stands_for)
    before = parse_address(start.stands_for or "")
    part = replace(link.graph, keras_version=keras_version)
    lost = find_lost_masks(whole, part, {Tensor(start.name): before}) if not is_masked else []
    if lost:
        maker, words = _describe_loss(lost)
        raise ExtractError(
            link.source_name,
            f"cannot be cut at `{before.layer}`: {words}",
            hint=f"take nothing between `{maker}` and `{lost[0].user}`",
        )
    if not is_masked:
        return
    named = {layer.name for layer in link.graph.layers}
    users = {use.user for use in whole.uses if use.user.partition("/")[0].partition("#")[0] in named}
    now = mask_flow(part, {Tensor(start.name): _mask_of(link)})
    if users != {use.user for use in now.uses}:
        raise ExtractError(
            link.source_name,
            f"cannot be cut at `{before.layer}`: each part would get the mask of the whole, "
            "and use it otherwise",
            hint=f"take its outputs: `{link.source_name}`",
        )


def _mask_of(link: Layer) -> frozenset[Mask]:
    return frozenset([Mask(link.source_name)])


def _describe_loss(lost: list[MaskUse]) -> tuple[str, str]:
    """The maker of the first mask that is lost, and in words who made and who uses it."""
    first = lost[0]
    is_sure = first.sure and all(mask.sure for mask in first.masks)
    users = {use.user for use in lost}
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    training = ", in training" if first.in_training else ""
    maker, verb = _maker(first), "is" if is_sure else "may be"
    return (
        maker,
        f"a mask made by `{maker}` {verb} used by `{first.user}`{more}{training}, and would be lost",
    )


def _maker(use: MaskUse) -> str:
    return min(mask.maker for mask in use.masks)
