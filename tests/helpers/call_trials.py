"""Calls of Keras's own layers and operations to try rules with: by class, what makes each call's outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Make = Callable[[], tuple[list[Any], Any]]  # → the inputs, and what is made of them
Sizes = tuple[int | None, ...]

SPACE: dict[int, Sizes] = {1: (17, 6), 2: (17, None, 6), 3: (9, 11, None, 6)}
PADDINGS = [{"padding": "same"}, {"padding": "valid"}]
WINDOWS = [
    {"kernel_size": 3, **p, **more} for p in PADDINGS for more in ({}, {"strides": 2}, {"dilation_rate": 2})
]
TRANSPOSED = [
    {"kernel_size": kernel, "strides": strides, **p}
    for kernel in (2, 3)
    for strides in (1, 2, 3)
    for p in PADDINGS
]
POOLS = [{"pool_size": 3, **p, **more} for p in PADDINGS for more in ({}, {"strides": 2})]
STEPS = [
    {"return_sequences": sequences, "return_state": state}
    for sequences in (False, True)
    for state in (False, True)
]
PICTURES: list[Sizes] = [(12, 16, 3), (None, None, 3)]


def given(*shapes: Sizes, dtype: str = "float32") -> list[Any]:
    import keras

    return [keras.Input(shape, name=f"x{i}", dtype=dtype) for i, shape in enumerate(shapes)]


def on(layer: Callable[[], Any], *shapes: Sizes, dtype: str = "float32", **arguments: Any) -> Make:
    """A call of a layer on inputs of those shapes, in a list if there are several."""

    def make() -> tuple[list[Any], Any]:
        inputs = given(*shapes, dtype=dtype)
        return inputs, layer()(inputs if len(inputs) > 1 else inputs[0], **arguments)

    return make


def beside(layer: Callable[[], Any], *shapes: Sizes, **arguments: Any) -> Make:
    """A call of a layer or function with an argument for each input."""

    def make() -> tuple[list[Any], Any]:
        inputs = given(*shapes)
        return inputs, layer()(*inputs, **arguments)

    return make


def of(name: str, **config: Any) -> Callable[[], Any]:
    """What makes a layer of Keras."""

    def layer() -> Any:
        import keras

        return getattr(keras.layers, name)(**config)

    return layer


def wrapped(wrapper: str, name: str, inner: dict[str, Any], **config: Any) -> Callable[[], Any]:
    """What makes a wrapper around a layer."""

    def layer() -> Any:
        return of(wrapper, layer=of(name, **inner)(), **config)()

    return layer


def cells(*names: str, **config: Any) -> Callable[[], Any]:
    """What makes an RNN of a cell, or of several."""

    def layer() -> Any:
        import keras

        made = [getattr(keras.layers, name)(3 + i) for i, name in enumerate(names)]
        return keras.layers.RNN(made if len(made) > 1 else made[0], **config)

    return layer


def _space_layers() -> Iterator[tuple[str, Make]]:
    config: dict[str, Any]
    for n, space in SPACE.items():
        for config in WINDOWS + ([{"kernel_size": 3, "padding": "causal"}] if n == 1 else []):
            yield f"Conv{n}D", on(of(f"Conv{n}D", filters=4, **config), space)
            if n < 3 and config["padding"] != "causal":
                yield f"SeparableConv{n}D", on(of(f"SeparableConv{n}D", filters=4, **config), space)
        yield f"Conv{n}D", on(of(f"Conv{n}D", filters=4, kernel_size=1, groups=2), space)
        for config in WINDOWS if n < 3 else []:
            yield f"DepthwiseConv{n}D", on(of(f"DepthwiseConv{n}D", depth_multiplier=2, **config), space)
        for config in TRANSPOSED:
            yield f"Conv{n}DTranspose", on(of(f"Conv{n}DTranspose", filters=4, **config), space)
        for kind in ("Average", "Max"):
            for config in POOLS:
                yield f"{kind}Pooling{n}D", on(of(f"{kind}Pooling{n}D", **config), space)
            for keepdims in (False, True):
                name = f"Global{kind}Pooling{n}D"
                yield name, on(of(name, keepdims=keepdims), space)
            fixed = tuple(d or 8 for d in space)
            yield f"Adaptive{kind}Pooling{n}D", on(of(f"Adaptive{kind}Pooling{n}D", output_size=2), fixed)
        for name, key in (("ZeroPadding", "padding"), ("Cropping", "cropping"), ("UpSampling", "size")):
            for setting in ({}, {key: 2}):
                yield f"{name}{n}D", on(of(f"{name}{n}D", **setting), space)
        yield f"SpatialDropout{n}D", on(of(f"SpatialDropout{n}D", rate=0.1), space)
        for config in WINDOWS[:1] + WINDOWS[3:4] + [{"kernel_size": 3, "strides": 2}]:
            for states in STEPS if n < 3 else STEPS[3:]:
                layer = of(f"ConvLSTM{n}D", filters=4, **config, **states)
                yield f"ConvLSTM{n}D", on(layer, (5, *(d or 8 for d in space)))


AS_THEY_ARE: dict[str, dict[str, Any]] = {
    "RandomFlip": {}, "RandomRotation": {"factor": 0.1}, "RandomZoom": {"height_factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}, "RandomContrast": {"factor": 0.1},
    "RandomBrightness": {"factor": 0.1}, "RandomShear": {}, "RandomColorDegeneration": {"factor": 0.1},
    "RandomColorJitter": {}, "RandomErasing": {}, "RandomGaussianBlur": {}, "RandomHue": {"factor": 0.1},
    "RandomInvert": {}, "RandomPerspective": {}, "RandomPosterization": {"factor": 4},
    "RandomSaturation": {"factor": 0.1}, "RandomSharpness": {"factor": 0.1}, "RandomElasticTransform": {},
    "AutoContrast": {}, "Equalization": {}, "Solarization": {}, "AugMix": {}, "RandAugment": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {}, "RandomGrayscale": {},
}  # fmt: skip


def _picture_layers() -> Iterator[tuple[str, Make]]:
    for shape in PICTURES:
        for name, config in AS_THEY_ARE.items():
            yield name, on(of(name, **config), shape)
        for name in ("Resizing", "CenterCrop", "RandomCrop"):
            yield name, on(of(name, height=4, width=6), shape)


def _feature_layers() -> Iterator[tuple[str, Make]]:
    shape: Sizes
    pair: tuple[Sizes, Sizes]
    keeping: dict[str, dict[str, Any]] = {
        "Activation": {"activation": "relu"}, "ReLU": {}, "LeakyReLU": {}, "ELU": {}, "PReLU": {},
        "Softmax": {},
        "Dropout": {"rate": 0.1}, "GaussianNoise": {"stddev": 0.1}, "GaussianDropout": {"rate": 0.1},
        "AlphaDropout": {"rate": 0.1}, "Identity": {}, "LayerNormalization": {},
        "GroupNormalization": {"groups": 2}, "RMSNormalization": {}, "UnitNormalization": {}, "Masking": {},
        "ActivityRegularization": {}, "BatchNormalization": {}, "Rescaling": {"scale": 2.0},
        "Normalization": {"mean": 0.0, "variance": 1.0},
    }  # fmt: skip
    for name, config in keeping.items():
        yield name, on(of(name, **config), (5, 8))
    for shape in ((8,), (5, 8), (None, 8)):
        yield "Dense", on(of("Dense", units=3), shape)
        yield "SpectralNormalization", on(wrapped("SpectralNormalization", "Dense", {"units": 3}), shape)
    conv = wrapped("SpectralNormalization", "Conv2D", {"filters": 4, "kernel_size": 3})
    yield "SpectralNormalization", on(conv, (9, None, 3))
    for dtype in ("int32", "float32"):
        yield "Embedding", on(of("Embedding", input_dim=9, output_dim=3), (None,), dtype=dtype)
        yield (
            "ReversibleEmbedding",
            on(of("ReversibleEmbedding", input_dim=9, output_dim=3), (5,), dtype=dtype),
        )
    yield (
        "ReversibleEmbedding",
        on(of("ReversibleEmbedding", input_dim=9, output_dim=3), (5, 3), reverse=True),
    )
    for equation, made, shape in (
        ("abc,cd->abd", (None, 7), (5, 8)), ("ab,bc->ac", 7, (8,)),
        ("abc,cde->abde", (None, 2, 4), (None, 8)),
        ("...x,xy->...y", 7, (5, 8)), ("abc,bcd->ad", 7, (5, 8)), ("abc,cd->abd", (5, 7), (5, 8)),
    ):  # fmt: skip
        yield "EinsumDense", on(of("EinsumDense", equation=equation, output_shape=made), shape)
    for shape in ((5, 8), (8,), (None, 8), (2, 3, 4)):
        yield "Flatten", on(of("Flatten"), shape)
    for target in ((4, 10), (-1, 2, 5), (40,), (-1,)):
        yield "Reshape", on(of("Reshape", target_shape=target), (5, 8))
    for target in ((-1, 8), (4, -1)):
        yield "Reshape", on(of("Reshape", target_shape=target), (None, 8))
    yield "Permute", on(of("Permute", dims=(2, 1)), (5, 8))
    yield "RepeatVector", on(of("RepeatVector", n=3), (8,))
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        for pair in (
            ((5, 8), (5, 8)),
            ((4, 1), (4, 6)),
            ((1, 6), (4, 1)),
            ((None, 6), (4, 6)),
            ((None, 1), (1, 3)),
        ):
            yield name, on(of(name), *pair)
    for axis, pair in ((-1, ((5, 8), (5, 3))), (1, ((5, 8), (None, 8))), (2, ((None, 8), (None, 2)))):
        yield "Concatenate", on(of("Concatenate", axis=axis), *pair)
    for axes, pair in (
        (1, ((8,), (8,))),
        (2, ((5, 8), (3, 8))),
        (-1, ((5, 8), (8,))),
        ((1, 2), ((5, 8), (3, 5))),
    ):
        yield "Dot", on(of("Dot", axes=axes), *pair)
    for name, inner, shape in (
        ("Dense", {"units": 3}, (5, 8)), ("Dense", {"units": 3}, (None, 8)),
        ("Conv2D", {"filters": 4, "kernel_size": 3}, (5, 9, None, 3)), ("Flatten", {}, (None, 4, 3)),
    ):  # fmt: skip
        yield "TimeDistributed", on(wrapped("TimeDistributed", name, inner), shape)


def _sequence_layers() -> Iterator[tuple[str, Make]]:
    for states in STEPS:
        for shape in ((5, 8), (None, 8)):
            for name in ("LSTM", "GRU", "SimpleRNN"):
                yield name, on(of(name, units=3, **states), shape)
                for mode in ("concat", "sum", None):
                    yield (
                        "Bidirectional",
                        on(wrapped("Bidirectional", name, {"units": 3, **states}, merge_mode=mode), shape),
                    )
            for names in (
                ["LSTMCell"],
                ["GRUCell"],
                ["SimpleRNNCell"],
                ["GRUCell", "GRUCell"],
                ["GRUCell", "SimpleRNNCell"],
            ):
                yield "RNN", on(cells(*names, **states), shape)
    both: tuple[dict[str, Any], ...] = ({}, {"return_attention_scores": True})
    for scores in both:
        for name in ("Attention", "AdditiveAttention"):
            yield name, on(of(name), (5, 8), (5, 8), **scores)
            yield name, on(of(name), (5, 8), (7, 8), (7, 8), **scores)
        yield "Attention", on(of("Attention"), (None, 8), (7, 8), **scores)
        head = of("MultiHeadAttention", num_heads=2, key_dim=3)
        for pair in (((5, 8), (7, 8)), ((None, 8), (7, 8)), ((5, 8), (5, 6))):
            yield "MultiHeadAttention", beside(head, *pair, **scores)
        yield (
            "MultiHeadAttention",
            beside(
                of("MultiHeadAttention", num_heads=2, key_dim=3, output_shape=(4,)), (5, 8), (7, 8), **scores
            ),
        )
        grouped = of("GroupQueryAttention", head_dim=4, num_query_heads=4, num_key_value_heads=2)
        for pair in (((5, 8), (7, 8)), ((None, 8), (7, 8))):
            yield "GroupQueryAttention", beside(grouped, *pair, **scores)


def _data_layers() -> Iterator[tuple[str, Make]]:
    for shape in ((5,), (1,), (None,)):
        for mode in ("int", "one_hot", "multi_hot", "count"):
            yield (
                "StringLookup",
                on(of("StringLookup", vocabulary=["a", "b"], output_mode=mode), shape, dtype="string"),
            )
            yield (
                "IntegerLookup",
                on(of("IntegerLookup", vocabulary=[1, 2, 7], output_mode=mode), shape, dtype="int64"),
            )
            if mode != "int":
                yield "CategoryEncoding", on(of("CategoryEncoding", num_tokens=4, output_mode=mode), shape)
            yield "Hashing", on(of("Hashing", num_bins=4, output_mode=mode), shape, dtype="int32")
        yield "Discretization", on(of("Discretization", bin_boundaries=[0.0, 1.0]), shape)
    for length in (None, 6):
        layer = of("TextVectorization", vocabulary=["a", "b"], output_sequence_length=length)
        yield "TextVectorization", on(layer, (1,), dtype="string")
    for mode in ("int", "one_hot"):
        yield (
            "HashedCrossing",
            on(of("HashedCrossing", num_bins=4, output_mode=mode), (1,), (1,), dtype="int32"),
        )


def layer_trials() -> dict[str, list[Make]]:
    """The trials of each class of layer."""
    found: dict[str, list[Make]] = {}
    for part in (_space_layers, _picture_layers, _feature_layers, _sequence_layers, _data_layers):
        for name, make in part():
            found.setdefault(name, []).append(make)
    return found
