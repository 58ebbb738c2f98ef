"""How things look: one frozen `Look` for every renderer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kgraph.drawing.paper import parse_page, parse_width

# What a picture can say; the first five stand in it unless something else is asked for.
LABELS = ("names", "classes", "activations", "parameters", "shapes", "dtypes", "trainable", "weights")
USUAL_LABELS = frozenset(LABELS[:5])
ROOM = 150  # boxes that are still looked at one by one
MOST = 42  # boxes of a picture of which no number was asked for
COLORS = ("family", "trainable", "parameters", "dtype", "macs", "memory")
FIGURES = ("macs", "memory", "receptive_field")  # of each call, by `reports/`
COLUMNS = ("name", "class", "shape", "dtype", "params", "trainable", "config", "reads", *FIGURES)
RANKDIRS = ("TB", "LR", "BT", "RL")
LAYOUTS = ("layers", "scale")
MOST_COLUMNS, MOST_DPI = 24, 1200


@dataclass(frozen=True)
class Look:
    """How a graph is shown; the default is meant to need no change.

    `expand` opens nested models (pictures: as clusters). `rankdir` is Graphviz's: where the arrows
    of a picture lead, `"TB"` down, `"LR"` to the right, `"BT"` up or `"RL"` to the left. `highlight`
    marks nodes, by their addresses as the drawing shows them (`encoder/conv#1`), and outputs
    (`output[slot]`); pictures mark most those that are `chosen` too, if any. `fold` shows repeated blocks
    once; None: where a picture would have more than about 40 boxes. `depth` is how many levels of nested
    models and folded blocks are shown, 1 for all closed; None: as many as there is room for. `columns` of
    `COLUMNS` are those of the terminal view and of tables; None: what there is room for.

    Of pictures alone: `boxes` is how many boxes there may be, outputs included: nested models, blocks and
    chains are closed until no more remain; None: about 40, with nested models closed unless `expand`. `open`
    are paths of nested models and blocks that are open in any case, others then only as far as `boxes` says.
    `chains` puts a convolution or dense layer in one box with the normalisation and
    activation after it. `label` is what stands in them, of `LABELS`; without `"dtypes"` those that are
    unusual still do, beside the shapes. `color` fills boxes by one of `COLORS`, and tells what they
    mean: `"macs"` and `"memory"` are what a call costs, as `kgraph.costs` has it; `dark` is for dark paper;
    None: an SVG that is light, and dark where its viewer asks for that.

    `wrap` sets a picture in so many columns, `"auto"` in as many as make it handy, 1 in none; None: where it
    would be more than 4 times as high as wide. `page` is `"a4"`, `"letter"` or a size, `"16x9cm"`, on which
    the picture is drawn, with type of at least 6 points, `width` the width of one as high as need be; `dpi`
    the dots of a PNG to the inch. `layout` is `"layers"`, or `"scale"`: by the size of what each layer makes,
    as U-Nets are drawn.

    `legend` puts what fills and signs mean below the picture; None: where the colours are a scale.

    Raises `ValueError`, which lists the values there are, for one that is not among them.
    """

    expand: bool = False
    rankdir: str = "TB"
    highlight: frozenset[str] = frozenset()
    chosen: frozenset[str] = frozenset()
    fold: bool | None = None
    depth: int | None = None
    boxes: int | None = None
    open: frozenset[str] = frozenset()
    columns: tuple[str, ...] | None = None
    chains: bool = False
    label: frozenset[str] = USUAL_LABELS
    color: str = "family"
    dark: bool | None = None
    wrap: int | str | None = None
    page: str | None = None
    width: str | None = None
    dpi: int | None = None
    layout: str = "layers"
    legend: bool | None = None

    def __post_init__(self) -> None:
        for what in ("highlight", "chosen", "label", "open"):
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
        for what, unit in (("depth", "levels"), ("boxes", "boxes")):
            number = getattr(self, what)
            if number is not None and (type(number) is not int or number < 1):
                raise ValueError(f"`{what}` is {number!r}, not None or a number of {unit} from 1 on")
        self._check_closing()
        self._check_paper()
        flags = {"expand": self.expand, "chains": self.chains}
        flags |= {
            what: flag for what in ("fold", "dark", "legend") if (flag := getattr(self, what)) is not None
        }
        for what, flag in flags.items():
            if not isinstance(flag, bool):
                raise ValueError(f"`{what}` is {flag!r}, not True or False")

    def _check_closing(self) -> None:
        asked = [what for what in ("boxes", "open") if getattr(self, what)]
        if asked and self.depth is not None:
            raise ValueError(f"`{asked[0]}` and `depth` each say what is open; give one of them")
        if asked and self.fold is False:
            raise ValueError(f"`{asked[0]}` closes what `fold=False` leaves open; give one of them")

    def _check_paper(self) -> None:
        """None; raises `ValueError` for what cannot be drawn on."""
        _check_values("layout", [self.layout], LAYOUTS)
        if self.wrap not in (None, "auto") and not _is_whole(self.wrap, 1, MOST_COLUMNS):
            raise ValueError(f"`wrap` is {self.wrap!r}, not 'auto' or a number of columns from 1 to 24")
        if self.dpi is not None and not _is_whole(self.dpi, 10, MOST_DPI):
            raise ValueError(f"`dpi` is {self.dpi!r}, not a number of dots to the inch from 10 to 1200")
        if self.page is not None and self.width is not None:
            raise ValueError("`page` and `width` each say how wide it is; give one of them")
        if self.page is not None:
            parse_page(self.page)
        if self.width is not None:
            parse_width(self.width)

    @property
    def paper(self) -> tuple[float, float | None] | None:
        """How many points wide and high the picture is to be; None where nothing is said of that."""
        if self.page is not None:
            return parse_page(self.page)
        return (parse_width(self.width), None) if self.width is not None else None

    def labels(self, what: str) -> bool:
        """Whether pictures say it: it was asked for, or the colours mean it."""
        return what in self.label or what.rstrip("s") == self.color.rstrip("s")


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _check_values(what: str, values: Iterable[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            choices = ", ".join(map(repr, known))
            raise ValueError(f"`{what}` has {value!r}, which is none of {choices}")
