"""Values of parsed JSON as the types they must have, checked once, where they enter. Pure.

Each check returns the value as it is, or raises `ConfigError` with its JSON path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kgraph.errors import NOT_SO_DEEP, ConfigError, UnsafeError

Sizes = tuple[int | None, ...]  # a shape, as `kgraph.graph.Shape`

SIZES = 1 << 63  # no dimension is as large
RANK = 64  # no array of NumPy has more dimensions
TENSORS = 10_000  # no call makes more tensors
CALLS = 100_000  # no layer has more
BRACKETS, COMMAS = 1_000_000, 2_000_000  # of a JSON text, beside those that its size allows
NESTS = (dict, list)  # what holds values; a tuple, as a union is made anew and asked slowly in long loops
DEPTH = 300  # lists and objects in each other; Python itself follows some 1,000 calls


def parse_json(text: str | bytes, source: str, stored: int | None = None) -> Any:
    """The value of a JSON text, which takes `stored` bytes of its file.

    Raises `ConfigError` if it is not JSON, too deep, or not all Unicode, and `UnsafeError` if its value would
    be larger than any model's, before it is parsed.
    """
    try:
        text = text if isinstance(text, str) else text.decode(json.detect_encoding(text))
        _check_counts(text, source, len(text) if stored is None else stored)
        value = json.loads(text.removeprefix("\ufeff"))
        if re.search(r"\\u[dD][89a-fA-F]", text):  # half of a surrogate pair cannot be written anywhere
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise ConfigError(f"`{source}` holds text that is not Unicode ({error.reason})", "") from error  # type: ignore[attr-defined]
    except ValueError as error:
        raise ConfigError(f"`{source}` is not readable JSON ({error})", "") from error
    except RecursionError as error:
        raise _too_deep_error(source) from error
    if _is_deeper([value], DEPTH):
        raise _too_deep_error(source)
    return value


def _check_counts(text: str, source: str, stored: int) -> None:
    """Raises `UnsafeError` for a text of more lists, objects and values than a model of that size has.

    The most in 1,211 real configs is a bracket for 20 bytes and a comma for 17; each may become 72 bytes.
    """
    if text.count("[") + text.count("{") > BRACKETS + stored // 16 or text.count(",") > COMMAS + stored // 16:
        raise UnsafeError(f"`{source}` holds more lists, objects and values than any model's")


def _too_deep_error(source: str) -> ConfigError:
    what = f"`{source}` is nested too deeply, more than {DEPTH} lists and objects"
    return ConfigError(what, "", hint=NOT_SO_DEEP)


def _is_deeper(level: Iterable[Any], most: int) -> bool:
    inner = [v for v in level if isinstance(v, NESTS)]
    while inner and most >= 0:
        held = (v.values() if isinstance(v, dict) else v for v in inner)
        inner = [v for values in held for v in values if isinstance(v, NESTS)]
        most -= 1
    return bool(inner)


def check_text(value: Any, what: str, where: str) -> str:
    """The value, which must be a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise _mismatch(value, what, "a name" if value == "" else "a string", where)
    return value


def check_text_or_none(value: Any, what: str, where: str) -> str | None:
    """The value, which must be a string, or null or absent."""
    if value is not None and not isinstance(value, str):
        raise _mismatch(value, what, "a string", where)
    return value


def check_flag_or_none(value: Any, what: str, where: str) -> bool | None:
    """The value, which must be true, false, null or absent."""
    if value is not None and not isinstance(value, bool):
        raise _mismatch(value, what, "true or false", where)
    return value


def check_object(value: Any, what: str, where: str) -> Mapping[str, Any]:
    """The value, which must be an object."""
    if not isinstance(value, Mapping):
        raise _mismatch(value, what, "an object", where)
    return value


def check_object_or_none(value: Any, what: str, where: str) -> Mapping[str, Any] | None:
    """The value, which must be an object, or null or absent."""
    return None if value is None else check_object(value, what, where)


def check_list(value: Any, what: str, where: str) -> list[Any]:
    """The value, which must be a list."""
    if not isinstance(value, list):
        raise _mismatch(value, what, "a list", where)
    return value


def check_index(value: Any, what: str, where: str, most: int = CALLS) -> int:
    """The value, which must be an index: from 0 to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise _mismatch(value, what, f"an index from 0 to {most:,}", where)
    return value


def check_shape_or_none(value: Any, what: str, where: str) -> Sizes | None:
    """The shape that a list of sizes and nulls stands for; None for null or absent."""
    if value is None:
        return None
    found = shape_in(value)
    if found is None:
        raise _mismatch(value, what, "a list of sizes", where)
    return found


def shape_in(value: Any) -> Sizes | None:
    """The shape that a list of sizes and nulls stands for; None for anything else."""
    if not isinstance(value, list | tuple) or len(value) > RANK:
        return None
    right = all(
        d is None or (isinstance(d, int) and not isinstance(d, bool) and -SIZES < d < SIZES) for d in value
    )
    return tuple(value) if right else None


def _mismatch(value: Any, what: str, wanted: str, where: str) -> ConfigError:
    shown = json.dumps(value)
    shown = shown if len(shown) <= 40 else f"{shown[:37]}…"
    return ConfigError(f"{what} is {shown}, not {wanted}", where)
