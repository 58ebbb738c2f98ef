"""What the conversion of a large file holds in memory, and how long it takes beside `cp`."""

from __future__ import annotations

import pytest
from convert import figures


@pytest.mark.long
def test_vgg19_is_carried_over_in_little_memory_and_a_few_times_the_time_of_cp() -> None:
    pytest.importorskip("tf_keras")
    found = figures()
    assert found["memory"] < 120
    assert found["kgraph"] < 4 * found["cp"]  # 3 where nothing else runs
