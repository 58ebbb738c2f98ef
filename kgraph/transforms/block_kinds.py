"""What a closed block is, where its layers and reads are exactly those of a pattern that has a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Set
from functools import cached_property

from kgraph.graph import Graph, Layer, Node, NodeKey
from kgraph.layers import activations_of, leaf_count
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.flatten import flatten
from kgraph.transforms.grouping import STAGE, first_block

MOST = 200  # layers of a block that is looked at
GATED = " with squeeze-and-excite"
POOLS = ("GlobalAverage", "Mean", "ReduceMean")
PRODUCTS = ("Matmul", "MatMul", "Einsum", "Dot", "BatchMatMulV2")
# Layers that a pattern may have anywhere: they compute nothing of their own that it is known by.
QUIET = (
    "Normalization", "Activation", "ReLU", "ELU", "Relu", "Silu", "Gelu", "Sigmoid", "Dropout", "DropPath",
    "Stochastic", "Padding", "LayerScale", "Rescaling", "Reshape", "Cropping", "InputLayer", "Identity",
)  # fmt: skip


def block_kind(layer: Layer) -> str:
    """What a block is, of a run what each of its blocks is: `bottleneck block`; empty where no pattern fits.

    One that holds nothing but blocks of one kind is that kind so many times: `bottleneck block ×3`.
    """
    if layer.graph is None or layer.wraps or layer.class_name == CHAIN:
        return ""
    block = first_block(layer) if layer.repeats else layer.graph
    if leaf_count(block) <= MOST and layer.class_name != STAGE:
        facts = _Facts(flatten(block))
        found = next((name for name, fits in PATTERNS.items() if fits(facts)), "")
        if found:
            return found + (GATED if facts.gates and found in GATEABLE else "")
    return _row_of_blocks(block)


def _row_of_blocks(block: Graph) -> str:
    """The kind of blocks of which there is nothing else in a block, with their number."""
    kinds = Counter[str]()
    for node in block.inner_nodes:
        layer = block.layer(node.layer)
        kinds[block_kind(layer) if layer.repeats else ""] += max(layer.repeats, 1)
    (kind, times), *others = kinds.most_common(2)
    return f"{kind} ×{times}" if kind and times > 1 and not others and "×" not in kind else ""


class _Facts:
    """What is asked of a block: its convolutions by their windows, its merges, and what gates what."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = {node.key: node for node in graph.inner_nodes}
        self.gates = frozenset(self._gates())

    def count(self, *words: str) -> int:
        """How many calls are of layers with one of these words in their class."""
        return sum(times for name, times in self._classes.items() if any(word in name for word in words))

    @cached_property
    def windows(self) -> str:
        """The convolutions in order: `1` of one place, `3` of more, depthwise `d`, separable `s`."""
        return "".join(self._window(node) for node in self._counted if "Conv" in self._class(node))

    @cached_property
    def adds(self) -> list[int]:
        """How many tensors each sum has."""
        return [len(node.inputs) for node in self._counted if "Add" in self._class(node)]

    @cached_property
    def joins(self) -> list[int]:
        """How many tensors each call that joins some has."""
        return [len(node.inputs) for node in self._counted if "Concatenate" in self._class(node)]

    def is_only(self, *words: str) -> bool:
        """Whether all layers are quiet or have one of these words in their class."""
        return all(any(word in name for word in (*words, *QUIET)) for name in self._classes)

    @cached_property
    def attention(self) -> int:
        """How many attentions there are: layers, or a softmax between two products."""
        layers = self.count("Attention")
        if layers or self.count(*PRODUCTS) < 2:
            return layers
        softmax = sum("softmax" in activations_of(self.graph.layer(node.layer)) for node in self._counted)
        return softmax if self.count(*PRODUCTS) >= 2 * softmax else 0

    @cached_property
    def _counted(self) -> list[Node]:
        """The nodes, those of gates aside."""
        return [node for node in self.nodes.values() if node.key not in self.gates]

    @cached_property
    def _classes(self) -> Counter[str]:
        return Counter(map(self._class, self._counted))

    def _class(self, node: Node) -> str:
        return self.graph.layer(node.layer).class_name

    def _window(self, node: Node) -> str:
        name, config = self._class(node), self.graph.layer(node.layer).config
        size = config.get("kernel_size")
        sizes = size if isinstance(size, list | tuple) else [size]
        widest = max((one for one in sizes if isinstance(one, int)), default=0)
        if "Depthwise" in name:
            return "d"
        if "Separable" in name:
            return "s"
        return "t" if "Transpose" in name else "1" if widest == 1 else "3" if widest else "?"

    def _gates(self) -> Iterator[NodeKey]:
        """The calls between a tensor and its product with what a global pooling of it leads to, and that."""
        if not any(self._class(node) == "Multiply" for node in self.nodes.values()):
            return
        before: dict[NodeKey, Set[NodeKey]] = {}
        for node in self.nodes.values():
            makers = {tensor.key for tensor in node.inputs.values()}
            before[node.key] = makers.union(*(before.get(maker, ()) for maker in makers))
            if self._class(node) == "Multiply" and len(makers) == 2:
                for one in makers:
                    (other,) = makers - {one}
                    way = ({other} | before.get(other, set())) - before.get(one, set()) - {one}
                    inside = {key for key in way if key in self.nodes}
                    if any(self._class(self.nodes[key]).startswith(POOLS) for key in inside):
                        yield from (*inside, node.key)


def _is_residual(facts: _Facts) -> bool:
    return facts.adds == [2] and facts.is_only("Conv", "Add")


def _is_transformer(facts: _Facts, attentions: int) -> bool:
    dense = facts.count("Dense") - 4 * (facts.attention - facts.count("Attention"))
    norms = facts.count("LayerNormalization", "RMSNormalization")
    return (
        facts.attention == attentions
        and dense == 2
        and facts.count("Add") == attentions + 1
        and norms > attentions
    )


PATTERNS: dict[str, Callable[[_Facts], bool]] = {
    "squeeze-and-excite": lambda f: bool(f.gates) and f.is_only(),
    "transformer block": lambda f: _is_transformer(f, 1) and not f.count("Conv"),
    "transformer decoder block": lambda f: _is_transformer(f, 2) and not f.count("Conv"),
    "attention with skip": lambda f: (
        f.attention == 1 and f.adds == [2] and f.is_only("Attention", "Add")
    ),
    "MLP with skip": lambda f: (
        f.count("Dense") == 2 and f.adds == [2] and f.is_only("Dense", "Add")
    ),
    "MLP": lambda f: f.count("Dense") >= 2 and f.is_only("Dense"),
    "bottleneck block": lambda f: _is_residual(f) and "".join(sorted(f.windows)) in ("113", "1113"),
    "residual block": lambda f: _is_residual(f) and "".join(sorted(f.windows)) in ("33", "133"),
    "inverted bottleneck": lambda f: (
        f.windows == "1d1" and f.adds in ([], [2]) and f.is_only("Conv", "Add")
    ),
    "fused inverted bottleneck": lambda f: f.windows == "31" and _is_residual(f),
    "ConvNeXt block": lambda f: (
        f.windows in ("d", "3") and f.count("Dense") == 2 and f.adds == [2]
        and f.is_only("Conv", "Dense", "Add")
    ),
    "separable convolution": lambda f: f.windows in ("d1", "s") and f.is_only("Conv"),
    "dense-block layer": lambda f: (
        f.windows in ("13", "3") and f.joins == [2] and f.is_only("Conv", "Concatenate")
    ),
    "inception module": lambda f: (
        "s" not in f.windows and len(f.windows) >= 3 and sum(n >= 3 for n in f.joins) == 1
        and f.is_only("Conv", "Concatenate", "Pooling")
    ),
    "inception module with skip": lambda f: (
        set(f.windows) == {"1", "3"} and len(f.windows) > 3 and f.count("Concatenate") == 1
        and f.count("Add", "CustomScale") == 1 and f.is_only("Conv", "Concatenate", "Add", "CustomScale")
    ),
    "separable cell": lambda f: (
        f.windows.count("s") >= 3 and sum(n >= 3 for n in f.joins) == 1
        and f.is_only("Conv", "Concatenate", "Add", "Pooling")
    ),
    "separable convolutions with skip": lambda f: f.windows in ("ss", "sss", "ss1") and _is_residual(f),
}  # fmt: skip
GATEABLE = ("bottleneck block", "residual block", "inverted bottleneck", "separable convolution")
