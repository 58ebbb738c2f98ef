"""The examples, each run by itself as a newcomer does, and what each claims, from the files it wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.places import ROOT
from helpers.svg_words import words

import kgraph

pytestmark = pytest.mark.slow
EXAMPLES = ROOT / "examples"
SCRIPTS = {path.stem: path.read_text() for path in sorted(EXAMPLES.glob("*.py"))}
NAMES = [name for name, text in SCRIPTS.items() if "print(" in text]  # the others hold models to be shown
LIMIT = 120  # seconds


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder in which an example was run, once each; what it printed is in `said.txt`."""

    @cache
    def run(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        with (folder / "said.txt").open("w") as said:
            command = [sys.executable, str(EXAMPLES / f"{name}.py")]
            subprocess.run(command, cwd=folder, stdout=said, check=True, timeout=LIMIT)
        return folder

    return run


@pytest.fixture(scope="module")
def example() -> Any:
    """An example as a module, by its name."""
    sys.path.insert(0, str(EXAMPLES))
    yield import_module
    sys.path.remove(str(EXAMPLES))


def said(folder: Path) -> list[str]:
    return (folder / "said.txt").read_text().splitlines()


def made(model: Any, given: Any) -> Any:
    """What a model makes of data that is given by the names of its inputs."""
    import keras

    return model(keras.tree.map_structure(lambda tensor: given[tensor.name], model.input))


def equal_to_keras(whole: Path, cut: Path, given: Any, layers: list[str]) -> bool:
    """Whether a file that kgraph cut makes what Keras makes, by hand, of the whole; bit for bit."""
    import keras

    model = keras.models.load_model(whole)
    by_hand = made(keras.Model(model.input, {name: model.get_layer(name).output for name in layers}), given)
    by_kgraph = made(keras.models.load_model(cut), given)
    if not isinstance(by_kgraph, dict):
        by_kgraph = dict(zip(layers, [by_kgraph], strict=True))
    assert [*by_kgraph] == layers
    return all(np.array_equal(by_kgraph[name], by_hand[name]) for name in layers)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_tells_in_at_most_40_lines_what_it_did(
    name: str, folder_of: Callable[[str], Path]
) -> None:
    lines = said(folder_of(name))
    assert 0 < len(lines) <= 40
    for line in lines:
        if line.startswith("wrote "):
            for file in line.removeprefix("wrote ").split(", "):
                assert (folder_of(name) / file).stat().st_size > 1000


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_is_read_in_a_minute(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 105


def test_old_model_is_carried_over_with_rounding_alone(folder_of: Callable[[str], Path]) -> None:
    first, *shapes = said(folder_of("old_model"))
    assert first == "Keras 2 and Keras 3 agree: True"
    assert shapes == ["logits (3, 4)", "lstm (3, 24)"]


def test_ticket_triage_has_losses_and_weights_by_output(folder_of: Callable[[str], Path]) -> None:
    folder = folder_of("ticket_triage")
    graph = kgraph.read(folder / "ticket_triage.keras")
    assert [tensor.layer for tensor in graph.inputs.values()] == ["title", "body", "tags"]
    trained = kgraph.training_by_output(graph)
    told = [(graph.outputs[slot].layer, trained[slot].loss, trained[slot].weight) for slot in graph.outputs]
    assert told == [
        ("priority", "binary_crossentropy", 1.0),
        ("department", "categorical_crossentropy", 0.2),
    ]
    text = "\n".join(said(folder))
    for claim in ("binary_crossentropy × 1", "categorical_crossentropy × 0.2"):
        assert claim in text
    svg = (folder / "ticket_triage.svg").read_text()
    for name in ("title", "body", "tags", "priority", "department"):
        assert f">{name}</text>" in svg


def test_the_ticket_embedding_is_keras_s_before_and_after_training(
    folder_of: Callable[[str], Path], example: Any
) -> None:
    folder, triage = folder_of("ticket_triage"), example("ticket_triage")
    assert "4 tickets → features (4, 172); changed by training: True" in said(folder)
    assert "ticket_embedding.keras, cut out of the file: equal: True" in said(folder)
    assert "the file's graph is the live model's: True" in said(folder)
    tickets, _ = triage.made_up(8, seed=1)
    whole, cut = folder / "ticket_triage.keras", folder / "ticket_embedding.keras"
    assert equal_to_keras(whole, cut, tickets, ["ticket"])

    untrained = triage.build()
    by_hand = untrained.__class__(untrained.inputs, untrained.get_layer("ticket").output)
    assert np.array_equal(kgraph.extract(untrained, "ticket")(tickets), by_hand(tickets))


def test_ticket_triage_learns_the_same_by_names_and_by_lists(example: Any) -> None:
    import keras

    triage = example("ticket_triage")
    tickets, targets = triage.made_up(64)
    losses = []
    for train in (triage.train, triage.train_with_lists):
        keras.utils.set_random_seed(0)
        losses.append(train(triage.build(), tickets, targets))
    assert losses[0] == losses[1]
    assert losses[0][1] < losses[0][0]


def test_toy_resnet_s_skips_are_skips_and_its_blocks_fold(
    folder_of: Callable[[str], Path], example: Any
) -> None:
    folder = folder_of("toy_resnet")
    graph = kgraph.read(folder / "toy_resnet.keras")
    assert example("toy_resnet").skips(graph) == {"block1_add": [1, 3], "block2_add": [1, 3]}
    assert [line[:5] for line in said(folder) if " Add " in line] == ["●─┴─╮", "●───╯"]
    dot = kgraph.to_dot(graph).splitlines()
    for block, before in (("block1", "pool"), ("block2", "block1_add")):
        (skip,) = (line for line in dot if line.startswith(f'  "{before}#0" -> "{block}_add#0"'))
        (straight,) = (line for line in dot if line.startswith(f'  "{block}_conv2#0" -> "{block}_add#0"'))
        assert "weight=10" in straight
        assert "weight=" not in skip
    assert [layer.repeats for layer in kgraph.fold(graph).layers if layer.repeats > 1] == [2]
    assert "drawn once: block{1…2} × 2" in said(folder)
    whole, folded = ((folder / f"toy_resnet{kind}.svg").read_text() for kind in ("", "_folded"))
    assert whole.count('class="node') - folded.count('class="node') == 3
    assert "×2</text>" in folded


def test_toy_resnet_s_additions_are_keras_s(folder_of: Callable[[str], Path]) -> None:
    folder = folder_of("toy_resnet")
    whole, cut = folder / "toy_resnet.keras", folder / "toy_resnet_additions.keras"
    image = {"image": np.random.default_rng(2).random((3, 32, 32, 3), dtype="float32")}
    assert equal_to_keras(whole, cut, image, ["block1_add", "block2_add"])
    assert sum(line.endswith("from the file without the rest: equal: True") for line in said(folder)) == 2


def test_the_shared_embedding_s_report_names_both_calls_and_the_saving(
    folder_of: Callable[[str], Path],
) -> None:
    folder = folder_of("shared_embedding")
    (shared,) = kgraph.sharing(kgraph.read(folder / "shared_embedding.keras")).shared
    assert [str(call.outputs[0]) for call in shared.calls] == ["embedding#0", "embedding#1"]
    assert [call.inputs for call in shared.calls] == [("first",), ("second",)]
    assert shared.saving is not None
    assert shared.saving.parameters == 1000 * 128
    assert "embedding is called as embedding#0 embedding#1" in said(folder)
    assert "a copy for each call would cost 128,000 parameters more" in said(folder)


def test_each_call_of_the_shared_embedding_is_taken_by_its_address(
    folder_of: Callable[[str], Path], example: Any
) -> None:
    import keras

    folder = folder_of("shared_embedding")
    whole = keras.models.load_model(folder / "shared_embedding.keras")
    words = [np.array([[1, 2, 3]], "int32"), np.array([[4, 5]], "int32")]
    by_hand = whole(words)
    for call in (0, 1):
        alone = kgraph.extract(whole, f"embedding#{call}", inputs=("first", "second")[call])
        assert np.array_equal(alone(words[call]), by_hand[call])
    cut = keras.models.load_model(folder / "second_call.keras")
    assert [tensor.name for tensor in cut.inputs] == ["second"]
    assert np.array_equal(cut(words[1]), by_hand[1])


def test_the_second_input_sees_what_a_step_through_the_first_taught(example: Any) -> None:
    sharing = example("shared_embedding")
    model = sharing.build()
    seen, unseen = np.array([[7, 8]], "int32"), np.array([[9]], "int32")
    before = [model([words, words])[1] for words in (seen, unseen)]
    sharing.train_through_first(model, seen)
    after = [model([words, words])[1] for words in (seen, unseen)]
    assert (np.abs(after[0]) < np.abs(before[0])).all()
    assert np.array_equal(after[1], before[1])


def test_vgg19_s_features_are_keras_s_in_every_output_live_and_from_the_file(
    folder_of: Callable[[str], Path],
) -> None:
    lines = said(folder_of("vgg19_features"))
    assert lines[0] == "`**`: 26 outputs; equal to those of keras.Model, bit for bit: 26"
    chosen = [f"block{i}_conv1" for i in range(1, 6)] + ["content"]
    assert [line.split()[0] for line in lines[1:7]] == chosen
    assert "from the file: 15,304,768 parameters; equal outputs: 6 of 6" in lines
    assert "from the file: 143,667,240 parameters; equal outputs: 26 of 26" in lines
    assert "features of 3 images, pooled: (3, 512); as above: 6 of 6" in lines


def test_vgg19_nested_gives_what_keras_refuses(folder_of: Callable[[str], Path]) -> None:
    lines = said(folder_of("vgg19_features"))
    assert "inside a nested VGG19, Keras says: Output with path `` is not connected to `inputs`" in lines
    assert lines[-1] == (
        "kgraph takes base/block3_conv1, base/block5_pool; equal to those of VGG19 by itself: 2 of 2"
    )


def test_image_features_find_the_kinds_of_images_with_random_weights(
    folder_of: Callable[[str], Path], example: Any
) -> None:
    folder = folder_of("image_features")
    lines = said(folder)
    assert lines[0] == "160 images of 4 kinds"
    early = next(line.split() for line in lines if line.startswith("early"))
    assert early[1] == "144"
    assert float(early[2].rstrip("%")) > 60 < float(early[3].rstrip("%"))  # one in four by chance
    vectors = np.array([[1, 0], [0, 1], [2, 0.1], [0.1, 3]])
    nearest, cosines = example("image_features").neighbours(vectors)
    assert nearest.tolist() == [2, 3, 0, 1]
    assert (cosines > 0.99).all()
    made = kgraph.features(
        folder / "mobilenet.keras", {"early": "block_3_expand_relu"}, folder / "drawn_images",
        preprocess="keras.applications.mobilenet_v2", pool="avg",
    )  # fmt: skip
    assert made is not None
    assert made["early"].shape == (160, 144)


def told(cell: Any) -> list[Any]:
    """What a cell of a notebook shows, pictures by their words, in the installed version of Keras."""
    shown = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
    return [
        {
            kind: words(value) if "svg" in kind else any_keras(value)
            for kind, value in output["data"].items()
            if kind != "image/png"  # it is as the fonts of the machine are
        }
        if "data" in output
        else any_keras(output["text"])
        for output in shown
    ]


def any_keras(text: str) -> str:
    return re.sub(r"Keras \d+\.\d+\.\d+", "Keras", text)


def test_the_tour_shows_what_it_showed_when_it_was_kept(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    shutil.copy(EXAMPLES / "tour.ipynb", tmp_path)
    kept, tour = (nbformat.read(tmp_path / "tour.ipynb", as_version=4) for _ in range(2))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(tour, timeout=LIMIT, kernel_name="python3", resources=resources).execute()
    assert sum(map(len, map(told, kept.cells))) >= 10
    for before, now in zip(kept.cells, tour.cells, strict=True):
        assert told(now) == told(before), before.source
    assert (tmp_path / "features.keras").is_file()


def test_grad_cam_looks_where_a_model_put_together_by_hand_does(
    folder_of: Callable[[str], Path], example: Callable[[str], Any]
) -> None:
    import keras
    import numpy as np
    import tensorflow as tf

    folder = folder_of("grad_cam")
    assert said(folder)[0] == "the last convolution: base/Conv_1#0, (None, 3, 3, 1280)"
    heat = np.load(folder / "grad_cam.npy")
    assert (heat.shape, float(heat.min()) >= 0, float(heat.max()) <= 1) == ((1, 3, 3), True, True)
    grad_cam = example("grad_cam")
    model = grad_cam.build()
    base = model.get_layer("base")
    inner = keras.Model(base.input, [base.get_layer("Conv_1").output, base.output])
    image = np.random.default_rng(1).uniform(0, 255, (2, 96, 96, 3)).astype("float32")
    with tf.GradientTape() as tape:
        maps, features = inner(model.get_layer("scale")(image), training=False)
        # The tape must see the way from the maps to the answer, which leads through the base's last layers.
        x = base.get_layer("out_relu")(base.get_layer("Conv_1_bn")(maps, training=False))
        score = model.get_layer("flower")(model.get_layer("average")(x))[:, 2]
    assert np.array_equal(x, features)
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    expected = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))
    expected /= tf.reduce_max(expected, axis=(1, 2), keepdims=True) + 1e-12
    np.testing.assert_allclose(grad_cam.grad_cam(model, image, kind=2), expected, rtol=1e-4, atol=1e-6)
