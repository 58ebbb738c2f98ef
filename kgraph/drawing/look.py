"""How things look: one frozen `Look` for every renderer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What a picture can tell; the first five are told unless something else is asked for.
TELLS = ("names", "classes", "activations", "parameters", "shapes", "dtypes", "trainable", "weights")
TOLD = frozenset(TELLS[:5])
ROOM = 150  # boxes that are still looked at one by one
COLOURS = ("family", "trainable", "parameters", "dtype")
DIRECTIONS = ("TB", "LR", "BT", "RL")


@dataclass(frozen=True)
class Look:
    """How a graph is shown; the default is meant to need no change.

    `expand` opens nested models (pictures: as clusters). `direction` is Graphviz's `rankdir`: where the
    arrows of a picture lead, `"TB"` down, `"LR"` to the right, `"BT"` up or `"RL"` to the left. `highlight`
    marks nodes, by their addresses as the drawing shows them (`encoder/conv#1`). `fold` shows repeated
    blocks once; None: where a picture would have more than 150 boxes. `depth` is how many levels of nested
    models and folded blocks are shown, 1 for all closed; None: as many as there is room for.

    Of pictures alone: `chains` puts a convolution or dense layer in one box with the normalisation and
    activation after it. `tell` is what stands in them, of `TELLS`; without `"dtypes"` those that are
    unusual still do, beside the shapes. `colour` fills boxes by one of `COLOURS`, and tells what they
    mean; `dark` is for dark paper.

    Raises `ValueError`, which lists the values there are, for one that is not among them.
    """

    expand: bool = False
    direction: str = "TB"
    highlight: frozenset[str] = frozenset()
    fold: bool | None = None
    depth: int | None = None
    chains: bool = False
    tell: frozenset[str] = TOLD
    colour: str = "family"
    dark: bool = False

    def __post_init__(self) -> None:
        for what in ("highlight", "tell"):
            value = getattr(self, what)
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise ValueError(f"`{what}` is {value!r}, not a set of texts")
            object.__setattr__(self, what, frozenset(value))
        _check_values("direction", [self.direction], DIRECTIONS)
        _check_values("tell", sorted(self.tell), TELLS)
        _check_values("colour", [self.colour], COLOURS)
        if self.depth is not None and (type(self.depth) is not int or self.depth < 1):
            raise ValueError(f"`depth` is {self.depth!r}, not None or a number of levels from 1 on")
        flags = {"expand": self.expand, "chains": self.chains, "dark": self.dark}
        for what, flag in flags.items() if self.fold is None else {**flags, "fold": self.fold}.items():
            if not isinstance(flag, bool):
                raise ValueError(f"`{what}` is {flag!r}, not True or False")

    def tells(self, what: str) -> bool:
        """Whether pictures say it: it was asked for, or the colours mean it."""
        return what in self.tell or what.rstrip("s") == self.colour.rstrip("s")


def _check_values(what: str, values: Iterable[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            choices = ", ".join(map(repr, known))
            raise ValueError(f"`{what}` has {value!r}, which is none of {choices}")
