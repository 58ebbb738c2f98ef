"""A picture as a page has it: its parts are numbered, as the page itself says what they are."""

from __future__ import annotations

from dataclasses import replace

from kgraph.drawing.pictures.boxes import Box
from kgraph.drawing.pictures.dot import HASTE, Arrow, Attributes, Cluster, Picture, PlacedBox, join_dot
from kgraph.drawing.view import ShownGraph
from kgraph.graph import Node, Tensor, output_address

SAID_BY_PAGE = ("id", "tooltip", "labeltooltip", "comment", "wrap", "scheme")
# Somebody waits for the page: a third of the time is saved, and some arrows are longer.
MORE_HASTE = {"nslimit": "0.5", "mclimit": "0.2"}


class NumberedPicture(Picture):
    """The first box has the id `b0`, the second `b1` and so on; arrows have `a0`, `a1`, frames none.

    `dot` is the picture in the DOT language; `addresses` and `kinds` are those of the boxes, `reads` the
    tensors of the arrows and the addresses of the boxes that these lead to.
    """

    def __init__(self, found: ShownGraph) -> None:
        super().__init__(found)
        self.addresses: list[str] = []
        self.kinds: list[str] = []
        self.reads: list[tuple[Tensor, str]] = []
        self.dot = join_dot(self)

    def defaults(self) -> dict[str, Attributes]:
        """Those of every picture, without what is said of it; of a large one in more haste."""
        found = {what: _keep_looks(attributes) for what, attributes in super().defaults().items()}
        if found["graph"].keys() >= HASTE.keys():
            found["graph"] |= MORE_HASTE
        return found

    def place_frame(self, frame: Box) -> Cluster:
        """The beginning of a frame."""
        cluster = super().place_frame(frame)
        return replace(cluster, attributes=_keep_looks(cluster.attributes))

    def legend(self) -> None:
        """None: a page says itself what its fills mean."""

    def place_box(self, box: Box) -> PlacedBox:
        """The next box."""
        placed = super().place_box(box)
        attributes = _keep_looks(placed.attributes) | {"id": f"b{len(self.addresses)}"}
        self.addresses.append(box.address)
        self.kinds.append(box.kind)
        return replace(placed, attributes=attributes)

    def place_arrow(self, tensor: Tensor, reader: Node | None, slot: str) -> Arrow:
        """The next arrow."""
        arrow = super().place_arrow(tensor, reader, slot)
        attributes = _keep_looks(arrow.attributes) | {"id": f"a{len(self.reads)}"}
        self.reads.append((tensor, reader.address if reader else output_address(slot)))
        return replace(arrow, attributes=attributes)


def _keep_looks(attributes: Attributes) -> Attributes:
    return {key: value for key, value in attributes.items() if key not in SAID_BY_PAGE}
