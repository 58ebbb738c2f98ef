"""How things look: one frozen `Look` for every renderer."""

from __future__ import annotations

from dataclasses import dataclass

# What a picture can tell; the first five are told unless something else is asked for.
TELLS = ("names", "classes", "activations", "parameters", "shapes", "dtypes", "trainable", "weights")
TOLD = frozenset(TELLS[:5])
ROOM = 150  # boxes that are still looked at one by one
COLOURS = ("family", "trainable", "parameters", "dtype")


@dataclass(frozen=True)
class Look:
    """How a graph is shown; the default is meant to need no change.

    `expand` opens nested models (pictures: as clusters). `direction` is Graphviz's `rankdir`: where
    the arrows of a picture lead, `"TB"` down or `"LR"` to the right. `highlight` marks nodes, by their
    addresses as the drawing shows them (`encoder/conv#1`). `fold` shows repeated blocks once; None: where
    a picture would have more than 150 boxes. `depth` is how many levels of nested models and folded
    blocks are shown, 1 for all closed; None: as many as there is room for.

    Of pictures alone: `chains` puts a convolution or dense layer in one box with the normalisation and
    activation after it. `tell` is what stands in them, of `TELLS`; without `"dtypes"` those that are
    unusual still do, beside the shapes. `colour` fills boxes by one of `COLOURS`, and tells what they
    mean; `dark` is for dark paper.
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

    def tells(self, what: str) -> bool:
        """Whether pictures say it: it was asked for, or the colours mean it."""
        return what in self.tell or what.rstrip("s") == self.colour.rstrip("s")
