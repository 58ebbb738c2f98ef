"""A plan and its source → a submodel: `extract` works on live models, `extract_file` on files."""

from kgraph.extraction.file import extract_file as extract_file
from kgraph.extraction.live import extract as extract
from kgraph.extraction.plan import place_of as place_of
from kgraph.extraction.plan import plan as plan
