"""The colours of pictures: one calm fill for each family of layers, and inks that read on all of them.

Every ink has a contrast of at least 4.5:1 on every fill (`tests/test_dot.py` holds it to that).
"""

FONT = "Helvetica,Arial,sans-serif"

PAPER = "#FFFFFF"
INK = "#1F2933"  # names
QUIET = "#55616E"  # everything else that is written
LINE = "#9AA5B1"  # arrows
FRAME = "#C5CDD6"  # round an opened nested model
NESTED = "#2B6CB0"  # the double border of a closed one

# Family (`kgraph.drawing.words.FAMILIES`) → fill.
FILLS = {
    "input": PAPER,
    "model": PAPER,
    "convolution": "#DCE8F7",
    "dense": "#E5E1F7",
    "recurrent": "#F9E1E7",
    "attention": "#FBE3D6",
    "embedding": "#DDF1E4",
    "normalisation": "#EDF0F4",
    "merge": "#FBEBD0",
    "pooling": "#E9F3D8",
    "other": "#E4EEF0",
}

# One for each shared layer in turn, apart for the colour-blind too: green, vermilion, violet, petrol, ochre.
SHARED = ("#1B7048", "#B0380B", "#8A2C86", "#0F5C8A", "#7A5600")
