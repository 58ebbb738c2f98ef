"""What `keras.applications` cost, beside TensorFlow's profiler, to the last digit.

`tests/golden/profiler_macs.tsv` is what `tests/bench/profiler_macs.py` prints.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import pytest
from helpers.places import GOLDEN
from profiler_macs import OTHER, architectures, build, figures, input_size

import kgraph
from kgraph.graph import Graph

KEPT = ("MobileNetV3Small", "ResNet50", "ConvNeXtTiny")  # in each run; the others with `-m long`
REST = [name for name in architectures() if name not in KEPT]
each_kept = pytest.mark.parametrize("name", KEPT)
each_other = pytest.mark.parametrize("name", REST)


def golden() -> Mapping[tuple[str, int], int | None]:
    """The profiler's figures by model and size; None where Keras cannot call the model on that size."""
    with open(GOLDEN / "profiler_macs.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        (row["model"], int(row["size"])): int(row["macs"]) if row["macs"].isdigit() else None for row in rows
    }


PROFILED = golden()


def cost_at(model: Any, size: int) -> kgraph.Costs:
    graph = kgraph.read(model)
    (tensor,) = graph.inputs.values()
    is_free = tensor.shape is None or None in tensor.shape[1:]
    return kgraph.costs(graph, input_shapes={"": (size, size, 3)} if is_free else None)


def grouped_macs(found: kgraph.Costs) -> int:
    """Those of grouped convolutions, into which the profiler does not look."""
    flat: Graph = kgraph.flatten(found.graph)
    grouped = {layer.name for layer in flat.layers if layer.config.get("groups", 1) > 1}
    return sum(call.macs or 0 for call in found.calls if call.layer in grouped)


def check(name: str) -> None:
    for wanted in (None, OTHER):
        model = build(name, wanted)
        size = input_size(model, wanted)
        told = PROFILED[name, size]
        if told is None:  # Keras cannot call it on this size, and nor can kgraph say what it costs there
            with pytest.raises(kgraph.GraphError, match="joins"):
                cost_at(model, size)
            continue
        found = cost_at(model, size)
        assert found.total.macs is not None
        assert found.total.macs - grouped_macs(found) == told
        assert bool(grouped_macs(found)) == name.startswith("ConvNeXt")
        assert found.total.at_least == ()
        assert found.unknown == ()
        assert not found.peak_at_least


@each_kept
def test_an_application_multiplies_what_the_profiler_counts(name: str) -> None:
    check(name)


@pytest.mark.long
@each_other
def test_another_application_multiplies_what_the_profiler_counts(name: str) -> None:
    check(name)


def test_the_table_holds_every_application_at_two_sizes() -> None:
    assert {name for name, _ in PROFILED} == set(architectures())
    assert len(PROFILED) == 2 * len(architectures())


@pytest.mark.parametrize("name", ["MobileNetV3Small"])
def test_the_table_is_what_the_profiler_tells(name: str) -> None:
    for size, macs in figures(name):
        assert PROFILED[name, size] == macs


@pytest.mark.long
@each_other
def test_the_rest_of_the_table_is_what_the_profiler_tells(name: str) -> None:
    for size, macs in figures(name):
        assert PROFILED[name, size] == macs


ANCHORS = {  # multiply-accumulates in millions, measured before this table was made
    "ResNet50": 3_858, "ResNet50V2": 3_482, "ResNet101": 7_570, "ResNet152": 11_282, "VGG16": 15_470,
    "VGG19": 19_632, "MobileNet": 569, "MobileNetV2": 301, "EfficientNetB0": 386, "EfficientNetB7": 37_746,
    "DenseNet121": 2_834, "DenseNet201": 4_291, "InceptionV3": 5_713, "InceptionResNetV2": 13_156,
    "Xception": 8_357, "NASNetMobile": 564, "NASNetLarge": 23_783,
}  # fmt: skip


@pytest.mark.parametrize("name", ANCHORS)
def test_the_table_has_the_figures_that_are_known_of_these_networks(name: str) -> None:
    _, macs = next((size, macs) for (own, size), macs in PROFILED.items() if own == name)
    assert round((macs or 0) / 1e6) == ANCHORS[name]


def test_a_convolution_of_convnext_in_groups_is_its_depthwise_one() -> None:
    """56 × 56 × 49 × 96 in three blocks, and so on down, as the paper has it: a 7 × 7 window for each
    channel.
    """
    found = cost_at(build("ConvNeXtTiny", None), 224)
    stages = ((56, 96, 3), (28, 192, 3), (14, 384, 9), (7, 768, 3))
    assert grouped_macs(found) == sum(size**2 * 49 * channels * blocks for size, channels, blocks in stages)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("VGG16", 224 * 224 * 2 * 64 * 4),  # both tensors of the first block: 25.69 MB
        ("MobileNetV2", (112 * 112 + 113 * 113) * 96 * 4),  # one of 96 channels, and that padded: 9.72 MB
    ],
)
def test_the_peak_of_another_network_is_known(name: str, most: int) -> None:
    found = cost_at(build(name, None), 224)
    assert found.peak is not None
    assert found.peak.bytes == most


def test_the_peak_of_resnet50_is_known() -> None:
    """Three tensors of 56 × 56 × 256 float32; in place, two of them and one of 56 × 56 × 64."""
    found = cost_at(build("ResNet50", None), 224)
    assert found.peak is not None
    assert found.peak_in_place is not None
    assert found.peak.bytes == 3 * 56 * 56 * 256 * 4 == 9_633_792
    assert found.peak_in_place.bytes == 56 * 56 * (2 * 256 + 64) * 4 == 7_225_344
    assert found.total.macs == 3_857_973_248
    assert found.total.parameters == 25_636_712
