"""The jobs of `python -m tests.bench`: what kgraph does, what stands beside it, and the goal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import programs

PYTHON = (sys.executable, "-c")
KGRAPH = (sys.executable, "-m", "kgraph")
Command = tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """Two commands, and the goal: how many times more the other takes, or how many times less at most.

    `figure`: `processor` or `wall` seconds, or `printed` ones; `memory`: so many times more the other takes.
    `at_most`: the goal is a ratio of ours to `scale` of the other's, not to be passed.
    """

    name: str
    beside: str
    ours: Command
    theirs: Command
    goal: float
    figure: str = "processor"
    at_most: bool = False
    memory: float | None = None
    scale: float = 1


def _python(code: str, *arguments: object) -> Command:
    return (*PYTHON, code, *map(str, arguments))


def _kgraph(*arguments: object) -> Command:
    return (*KGRAPH, *map(str, arguments))


Build = Callable[[str], Path]


def jobs(build: Build, folder: Path, files: Sequence[Path]) -> Iterator[Job]:
    """All jobs; `build` makes a model's file once, `files` are those of other people, if there are any."""
    floor = "h5py imported, JSON parsed, each header visited"
    nasnet, resnet, vgg = build("NASNetLarge"), build("ResNet50"), build("VGG19")
    demo = Path(__file__).parents[2] / "kgraph" / "demo.keras"
    cut, other, copy = folder / "cut.keras", folder / "other.keras", folder / "copy"
    yield Job(
        "show NASNetLarge", "Keras: load, summary", _kgraph("show", nasnet),
        _python(programs.SUMMARY, nasnet), 25, memory=20,
    )  # fmt: skip
    yield Job(
        "show NASNetLarge, floor", floor, _kgraph("show", nasnet), _python(programs.FLOOR, nasnet), 1.3,
        at_most=True,
    )  # fmt: skip
    yield Job(
        "show ResNet50, floor", floor, _kgraph("show", resnet), _python(programs.FLOOR, resnet), 1.3,
        at_most=True,
    )  # fmt: skip
    yield Job(
        "show demo, floor", "import h5py", _kgraph("show", demo), _python(programs.H5PY), 1.3, at_most=True
    )
    yield Job("--version", "bare python", _kgraph("--version"), _python(programs.BARE), 3, at_most=True)
    picture = build("EfficientNetV2L")
    yield Job(
        "show -o svg EfficientNetV2L", "Keras: load, plot_model",
        _kgraph("show", picture, "-o", folder / "a.svg"),
        _python(programs.PLOT, picture, folder / "b.svg"), 20,
    )  # fmt: skip
    yield Job(
        "extract VGG19 at block3_pool", "Keras: load, Model, save",
        _kgraph("extract", vgg, "--layers", "block3_pool", "-o", cut, "--force"),
        _python(programs.KERAS_CUT, vgg, other, "block3_pool"), 100, memory=50,
    )  # fmt: skip
    yield Job(
        "extract VGG19 at fc2", "cp", _kgraph("extract", vgg, "--layers", "fc2", "-o", cut, "--force"),
        ("cp", str(vgg), str(copy)), 2, figure="wall", at_most=True,
    )  # fmt: skip
    old = build("VGG19.h5")
    yield Job(
        "convert VGG19 of Keras 2", "cp", _kgraph("convert", old, cut, "--force"),
        ("cp", str(old), str(copy)), 3, figure="wall", at_most=True,
    )  # fmt: skip
    yield Job(
        "convert VGG19 of Keras 2, by hand", "Keras: build, load_weights, save",
        _kgraph("convert", old, cut, "--force"), _python(programs.BY_HAND, old, other), 10, memory=20,
    )  # fmt: skip
    yield Job(
        "read NASNetLarge, live", "model_to_dot", _python(programs.LIVE_READ),
        _python(programs.MODEL_TO_DOT), 1, figure="printed", at_most=True,
    )  # fmt: skip
    yield Job(
        "extract 20 tensors, live", "keras.Model", _python(programs.LIVE_EXTRACT),
        _python(programs.KERAS_MODEL), 1.5, figure="printed", at_most=True,
    )  # fmt: skip
    profiler = Path(__file__).with_name("profiler_macs.py")
    yield Job(
        "costs NASNetLarge", "TensorFlow's profiler", _kgraph("costs", nasnet),
        (sys.executable, str(profiler), "--own", "NASNetLarge"), 25,
    )  # fmt: skip
    for verb in ("read", "flatten", "select", "plan", "text", "JSON", "fold"):
        small, large = (_python(programs.GROWTH, verb, length) for length in (1_000, 100_000))
        yield Job(
            f"{verb} 100,000 layers", "1,000 layers, a hundred times", large, small, 1.2, figure="printed",
            at_most=True, scale=100,
        )  # fmt: skip
    if files:
        together = folder / "files"
        together.mkdir()
        for number, path in enumerate(files):
            shutil.copy(path, together / f"{number}_{path.name}")
        for verb, name in (("show", "list"), ("audit", "audit")):
            yield Job(
                f"{name} {len(files)} files", "a process for each", _kgraph(verb, together),
                _python(programs.EACH, verb, *sorted(together.iterdir())), 10,
            )  # fmt: skip
