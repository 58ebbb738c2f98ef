"""Text from files, wherever it goes."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from hypothesis import given
from hypothesis import strategies as st

from kgraph.texts import json_text

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(values, st.sampled_from([None, 1]))
def test_json_has_no_number_that_json_does_not_have_and_nothing_that_does_not_print(
    value: Any, indent: int | None
) -> None:
    text = json_text(value, indent=indent)
    json.loads(text, parse_constant=_refuse)
    assert all(c.isprintable() or c == "\n" for c in text)


@given(values.filter(lambda value: "nan" not in repr(value) and "inf" not in repr(value)))
def test_json_is_the_value_where_json_has_it(value: Any) -> None:
    assert json.loads(json_text(value)) == value


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(constant)
