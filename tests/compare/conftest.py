"""The order of tests on architectures."""

from __future__ import annotations

from typing import Any

import pytest


def architecture(item: pytest.Item) -> str:
    """The architecture that a test is about."""
    spec: Any = getattr(item, "callspec", None)
    return str(spec.params.get("name", "")) if spec else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of one architecture together: it is built and saved once, and not kept for the others."""
    places = [i for i, item in enumerate(items) if item.path.name == "test_applications.py"]
    for place, item in zip(places, sorted((items[i] for i in places), key=architecture), strict=True):
        items[place] = item
