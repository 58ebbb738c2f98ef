"""How things look: one frozen `Look` for every renderer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What a picture can say; the first five stand in it unless something else is asked for.
LABELS = ("names", "classes", "activations", "parameters", "shapes", "dtypes", "trainable", "weights")
USUAL_LABELS = frozenset(LABELS[:5])
ROOM = 150  # boxes that are still looked at one by one
COLORS = ("family", "trainable", "parameters", "dtype", "macs", "memory")
FIGURES = ("macs", "memory", "receptive_field")  # of each call, by `reports/`
COLUMNS = ("name", "class", "shape", "dtype", "params", "trainable", "config", "reads", *FIGURES)
RANKDIRS = ("TB", "LR", "BT", "RL")


@dataclass(frozen=True)
class Look:
    """How a graph is shown; the default is meant to need no change.

    `expand` opens nested models (pictures: as clusters). `rankdir` is Graphviz's: where the arrows
    of a picture lead, `"TB"` down, `"LR"` to the right, `"BT"` up or `"RL"` to the left. `highlight`
    marks nodes, by their addresses as the drawing shows them (`encoder/conv#1`). `fold` shows repeated
    blocks once; None: where a picture would have more than 150 boxes. `depth` is how many levels of nested
    models and folded blocks are shown, 1 for all closed; None: as many as there is room for. `columns` of
    `COLUMNS` are those of the terminal view and of tables; None: what there is room for.

    Of pictures alone: `chains` puts a convolution or dense layer in one box with the normalisation and
    activation after it. `label` is what stands in them, of `LABELS`; without `"dtypes"` those that are
    unusual still do, beside the shapes. `color` fills boxes by one of `COLORS`, and tells what they
    mean: `"macs"` and `"memory"` are what a call costs, as `kgraph.costs` has it; `dark` is for dark paper.

    Raises `ValueError`, which lists the values there are, for one that is not among them.
    """

    expand: bool = False
    rankdir: str = "TB"
    highlight: frozenset[str] = frozenset()
    fold: bool | None = None
    depth: int | None = None
    columns: tuple[str, ...] | None = None
    chains: bool = False
    label: frozenset[str] = USUAL_LABELS
    color: str = "family"
    dark: bool = False

    def __post_init__(self) -> None:
        for what in ("highlight", "label"):
            value = getattr(self, what)
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise ValueError(f"`{what}` is {value!r}, not a set of texts")
            object.__setattr__(self, what, frozenset(value))
        if isinstance(self.columns, str):
            raise ValueError(f"`columns` is {self.columns!r}, not a list of names")
        if self.columns is not None:
            object.__setattr__(self, "columns", tuple(self.columns))
            _check_values("columns", self.columns, COLUMNS)
        _check_values("rankdir", [self.rankdir], RANKDIRS)
        _check_values("label", sorted(self.label), LABELS)
        _check_values("color", [self.color], COLORS)
        if self.depth is not None and (type(self.depth) is not int or self.depth < 1):
            raise ValueError(f"`depth` is {self.depth!r}, not None or a number of levels from 1 on")
        flags = {"expand": self.expand, "chains": self.chains, "dark": self.dark}
        for what, flag in flags.items() if self.fold is None else {**flags, "fold": self.fold}.items():
            if not isinstance(flag, bool):
                raise ValueError(f"`{what}` is {flag!r}, not True or False")

    def labels(self, what: str) -> bool:
        """Whether pictures say it: it was asked for, or the colours mean it."""
        return what in self.label or what.rstrip("s") == self.color.rstrip("s")


def _check_values(what: str, values: Iterable[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            choices = ", ".join(map(repr, known))
            raise ValueError(f"`{what}` has {value!r}, which is none of {choices}")
