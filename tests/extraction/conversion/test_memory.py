"""What the conversion of a large file holds in memory, and how long it takes beside `cp`."""

from __future__ import annotations

import re

import pytest
from helpers.benches import figures


@pytest.mark.long
def test_vgg19_is_carried_over_in_little_memory_and_a_few_times_the_time_of_cp() -> None:
    pytest.importorskip("tf_keras")
    found = re.search(r"kgraph [\d.]+ s (\d+) MB; cp [\d.]+ s; ([\d.]+) times", figures("convert.py"))
    assert found
    assert int(found[1]) < 120
    assert float(found[2]) < 4  # 3 where nothing else runs
