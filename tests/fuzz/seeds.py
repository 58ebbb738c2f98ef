"""The files that are changed: `python -m fuzz.seeds FOLDER` makes them, all formats and many oddities.

By format, a folder each; what is read with `--weights` is a folder with `model.json` and the weights.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

from helpers.places import DEMO, SHARED

MOST = 100_000  # bytes of other people's files
FORMATS = ("keras", "folder", "h5", "json", "savedmodel", "tfjs", "weights")
WEIGHTS = (5, 1, 4, 2, 1, 1, 2)  # how often each is taken


@dataclass(frozen=True)
class Seed:
    """A file, or a folder, to be changed."""

    format: str
    path: Path

    @property
    def model(self) -> Path:
        """The file of the model in it."""
        return self.path / "model.json" if self.format == "weights" else self.path

    def copy(self, folder: Path) -> tuple[Path, Path | None]:
        """A copy of the model in a folder, and of its weights if they are given beside it."""
        model = folder / f"m{self.path.suffix}"
        if self.format != "weights":
            (shutil.copytree if self.path.is_dir() else shutil.copyfile)(self.path, model)
            return model, None
        shutil.copytree(self.path, model)
        weights = next(p for p in sorted(model.iterdir()) if ".weights." in p.name and "_0" not in p.name)
        return model / "model.json", weights


def list_seeds(folder: Path) -> dict[str, list[Seed]]:
    """The seeds by format: those in the folder, and other people's models where they are."""
    seeds = {name: [Seed(name, path) for path in sorted((folder / name).iterdir())] for name in FORMATS}
    for suffix in ("keras", "h5", "json"):
        more = sorted(SHARED.glob(f"versions/*/*.{suffix}"))
        seeds[suffix] += [Seed(suffix, path) for path in more if path.stat().st_size < MOST]
    return seeds


def seed_paths(seeds: dict[str, list[Seed]]) -> list[Path]:
    """Where they are."""
    return [seed.path for those in seeds.values() for seed in those]


def pick_seed(chance: Random, seeds: dict[str, list[Seed]]) -> Seed:
    """One of them."""
    return chance.choice(seeds[chance.choices(FORMATS, WEIGHTS)[0]])


def make_seeds(folder: Path) -> None:
    """Nothing; makes the files in a folder."""
    for name in FORMATS:
        (folder / name).mkdir(parents=True)
    _make_corpus(folder)
    shutil.copyfile(DEMO, folder / "keras" / "demo.keras")
    _save_models(folder)


def _make_corpus(folder: Path) -> None:
    from corpus.make import MAKERS

    for name, make in MAKERS.items():
        kind = name.split("_")[0] if name.startswith(("savedmodel", "tfjs")) else name.rpartition(".")[2]
        if name.startswith("keras_3_with"):
            kind = "weights"
            (folder / kind / name.removesuffix(".json")).mkdir()
            make(folder / kind / name.removesuffix(".json") / "model.json")
        else:
            make(folder / kind / name)


def _save_models(folder: Path) -> None:
    import keras
    from models import BUILDERS

    for number, (name, build) in enumerate(sorted(BUILDERS.items())):
        keras.utils.clear_session()
        keras.utils.set_random_seed(number)
        model = build()
        model.save(folder / "keras" / f"{name}.keras")
        if number % 4 == 0:
            with zipfile.ZipFile(folder / "keras" / f"{name}.keras") as archive:
                archive.extractall(folder / "folder" / name)
        if number % 4 == 1:
            model.save(folder / "h5" / f"{name}.h5")
        if number % 4 == 2:
            (folder / "json" / f"{name}.json").write_text(model.to_json())
        if number % 4 == 3 and model.built:
            (folder / "weights" / name).mkdir()
            (folder / "weights" / name / "model.json").write_text(model.to_json())
            model.save_weights(folder / "weights" / name / "model.weights.h5")


if __name__ == "__main__":
    make_seeds(Path(sys.argv[1]))
