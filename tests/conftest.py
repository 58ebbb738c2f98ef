"""What the tests share: built models and their saved files, once a run for each worker."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from helpers.older_keras import NEWEST, keras_version
from helpers.places import SHARED
from hypothesis import HealthCheck, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# In CI the same examples each time, so that a run says something of the change; elsewhere new ones.
settings.register_profile(
    "kgraph",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kgraph")

TALLY = pytest.StashKey[Counter[str]]()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of other people's models; tests on it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with other people's models is not here")
    return SHARED


@pytest.fixture(scope="module")
def cases() -> Iterator[Path]:
    """The folder of scripts that each build one odd model; they import from each other."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with other people's models is not here")
    sys.path.insert(0, str(SHARED / "cases"))
    yield SHARED / "cases"
    sys.path.remove(str(SHARED / "cases"))


@pytest.fixture(scope="session")
def built() -> Callable[[str], Any]:
    """A live model of `tests/models.py` by its name; the same object each time."""
    from models import BUILDERS

    return cache(lambda name: BUILDERS[name]())


@pytest.fixture(scope="session")
def saved(built: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The `.keras` file of a model of `tests/models.py`."""
    folder = tmp_path_factory.mktemp("saved")

    @cache
    def save(name: str) -> Path:
        path = folder / f"{name}.keras"
        built(name).save(path)
        return path

    return save


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Counter[str]:
    """How many cases of each kind were tried and passed; printed at the end of the run."""
    return pytestconfig.stash.setdefault(TALLY, Counter())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is `long`, unless it is asked for by that name."""
    if "long" not in config.option.markexpr:
        long = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip what Keras 3.10 alone refuses to build: models with an input that nothing depends on."""
    try:
        return (yield)
    except ValueError as error:
        if keras_version() >= NEWEST or "`inputs` not connected to `outputs`" not in str(error):
            raise
        pytest.skip(f"this Keras cannot do it ({error})")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the tally of a worker to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        tally: Counter[str] = session.config.stash.setdefault(TALLY, Counter())
        session.config.workeroutput["tally"] = dict(tally)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the tally of a worker to that of all."""
    tally = node.config.stash.setdefault(TALLY, Counter[str]())
    tally.update(getattr(node, "workeroutput", {}).get("tally", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for what, count in config.stash.setdefault(TALLY, Counter[str]()).items():
        claim = "" if ":" in what else ", each equal to Keras bit for bit"
        terminalreporter.write_line(f"{count:,} {what}{claim}")


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment for programs that a test starts: no colour asked for, no terminal width set."""
    return {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
