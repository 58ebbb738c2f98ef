"""What blocks are called, by the names of the nodes in them."""

from __future__ import annotations

import re
from collections.abc import Sequence


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items two sequences begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def common_stem(names: Sequence[str]) -> str:
    """The words that the last name begins with, as many as most of the names do; may be empty.

    >>> common_stem(["conv2_block1_1_conv", "conv2_block1_add"]), common_stem(["activation", "add"])
    ('conv2_block1', '')
    """
    ends = [found.start() for found in re.finditer(r"[_\-./]", names[-1])]
    least = 0.75 * len(names)
    stems = (names[-1][:end] for end in reversed(ends))
    return next((stem for stem in stems if sum(_has_stem(name, stem) for name in names) >= least), "")


def _has_stem(name: str, stem: str) -> bool:
    return name.startswith(stem) and name[len(stem) : len(stem) + 1] in ("_", "-", ".", "/")


def block_label(names: Sequence[str]) -> str:
    """What a block is called: what its names begin with, or what its last node is called."""
    return common_stem(names) or names[-1]


def span_names(first: str, last: str) -> str:
    """Two names in one, what differs in braces.

    >>> span_names("conv4_block2_out", "conv4_block36_out"), span_names("block5b", "block5s")
    ('conv4_block{2…36}_out', 'block5{b…s}')
    >>> span_names("a", "a"), span_names("h10_add", "h12_add"), span_names("conv", "conv_3")
    ('a', 'h{10…12}_add', 'conv…conv_3')
    """
    a, b = (re.findall(r"\d+|\D", name) for name in (first, last))
    start = common_length(a, b)
    end = common_length(a[start:][::-1], b[start:][::-1])
    middles = ["".join(parts[start : len(parts) - end]) for parts in (a, b)]
    if not all(middles):
        return first if first == last else f"{first}…{last}"
    return "".join([*a[:start], "{", middles[0], "…", middles[1], "}", *a[len(a) - end :]])


def unused_name(name: str, names: set[str]) -> str:
    """The name, with primes if it is taken; it is taken then."""
    while name in names:
        name += "′"
    names.add(name)
    return name
