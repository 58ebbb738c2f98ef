"""Calls of layers and operations that multiply, to count with rules and with TensorFlow's profiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from helpers.call_trials import Make, of, on, wrapped
from helpers.operation_trials import fed

Shapes = tuple[tuple[int, ...], ...]
Trial = tuple[Make, Shapes]  # a call, and the shapes that its inputs have, without the batch


def _on(layer: Callable[[], Any], *shapes: tuple[int, ...], **arguments: Any) -> Trial:
    return on(layer, *shapes, **arguments), shapes


def _fed(name: str, *shapes: tuple[int, ...], **arguments: Any) -> Trial:
    return fed(name, *shapes, **arguments), shapes


SPACE = {1: (16, 6), 2: (16, 12, 6), 3: (10, 12, 8, 6)}


def _convolutions() -> Iterator[tuple[str, Trial]]:
    """Sizes are even, since TensorFlow pads others for dilated windows, and the profiler counts that."""
    for n, space in SPACE.items():
        for padding in ("same", "valid"):
            config: dict[str, Any] = {"kernel_size": 3, "padding": padding}
            for more in ({}, {"strides": 2}, {"dilation_rate": 2}):
                yield f"Conv{n}D", _on(of(f"Conv{n}D", filters=4, **config, **more), space)
            for more in ({}, {"strides": 2}) if n < 3 else ():
                yield f"SeparableConv{n}D", _on(of(f"SeparableConv{n}D", filters=4, **config, **more), space)
                deep = of(f"DepthwiseConv{n}D", depth_multiplier=2, **config, **more)
                yield f"DepthwiseConv{n}D", _on(deep, space)
        if n < 3:
            same = of(f"Conv{n}DTranspose", filters=4, kernel_size=3, strides=2, padding="same")
            yield f"Conv{n}DTranspose", _on(same, space)


def _layers_of_products() -> Iterator[tuple[str, Trial]]:
    for shape in ((8,), (5, 8), (3, 5, 8)):
        yield "Dense", _on(of("Dense", units=7), shape)
    yield "EinsumDense", _on(of("EinsumDense", equation="abc,cd->abd", output_shape=(5, 7)), (5, 8))
    headed = of("EinsumDense", equation="abc,cde->abde", output_shape=(5, 2, 4))
    yield "EinsumDense", _on(headed, (5, 8))
    yield "Embedding", _on(of("Embedding", input_dim=9, output_dim=3), (5,))
    table = of("ReversibleEmbedding", input_dim=9, output_dim=3)
    yield "ReversibleEmbedding", _on(table, (5,))
    yield "ReversibleEmbedding", _on(table, (5, 3), reverse=True)
    for axes, pair in ((2, ((5, 8), (3, 8))), ((1, 2), ((5, 8), (3, 5))), (1, ((8,), (8,)))):
        yield "Dot", _on(of("Dot", axes=axes), *pair)
    for shapes in (((5, 8), (7, 8)), ((5, 8), (7, 6), (7, 8))):
        yield "Attention", _on(of("Attention"), *shapes)
        yield "AdditiveAttention", _on(of("AdditiveAttention", use_scale=False), *shapes)
    yield "Attention", _on(of("Attention", score_mode="concat"), (5, 8), (7, 8))
    step = wrapped("TimeDistributed", "Conv2D", {"filters": 4, "kernel_size": 3})
    yield "TimeDistributed", _on(step, (5, 9, 9, 3))
    yield "SpectralNormalization", _on(wrapped("SpectralNormalization", "Dense", {"units": 3}), (5, 8))


def _layers_along_time() -> Iterator[tuple[str, Trial]]:
    """Unrolled, since the profiler counts the inside of a loop once."""
    for states in ({}, {"return_sequences": True}):
        config: dict[str, Any] = {"unroll": True, **states}
        for name in ("LSTM", "GRU", "SimpleRNN"):
            yield name, _on(of(name, units=3, **config), (5, 8))
            yield "Bidirectional", _on(wrapped("Bidirectional", name, {"units": 3, **config}), (5, 8))
        inner = {"filters": 4, "kernel_size": 3, **config}
        yield "ConvLSTM2D", _on(of("ConvLSTM2D", **inner), (5, 9, 9, 2))
        yield "Bidirectional", _on(wrapped("Bidirectional", "ConvLSTM2D", inner), (5, 9, 9, 2))


def _operations() -> Iterator[tuple[str, Trial]]:
    import numpy as np

    for pair in (((5, 8), (8, 3)), ((2, 5, 8), (1, 8, 3))):
        yield "Matmul", _fed("Matmul", *pair)
    yield "Dot", _fed("Dot", (5, 8), constants=[np.ones((8, 3), "float32")])
    yield "Tensordot", _fed("Tensordot", (5, 8), constants=[np.ones((8, 3), "float32")], axes=1)
    yield "Tensordot", _fed("Tensordot", (5, 8), constants=[np.ones((5, 8, 3), "float32")], axes=2)
    for config in ({}, {"strides": 2, "padding": "same"}):
        kernel = np.ones((3, 2, 6, 4), "float32")
        yield "Conv", _fed("Conv", (9, 11, 6), constants=[kernel], data_format="channels_last", **config)
    for size, shape in (((3, 2), (9, 11, 6)), ((2, 3, 2), (8, 9, 6, 2))):
        for more in ({"strides": size}, {"strides": (1,) * len(size), "padding": "same"}):
            patches: dict[str, Any] = {"size": size, "data_format": "channels_last", **more}
            yield "ExtractPatches", _fed("ExtractPatches", shape, **patches)


def profiled_trials() -> Iterator[tuple[str, Trial]]:
    """By class, calls that the profiler counts as they are."""
    for part in (_convolutions, _layers_of_products, _layers_along_time, _operations):
        yield from part()
