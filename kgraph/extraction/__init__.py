"""A plan and its source → a model: `plan` is pure, `extract` works on live models."""

from kgraph.extraction.live import extract as extract
from kgraph.extraction.plan import place_of as place_of
from kgraph.extraction.plan import plan as plan
