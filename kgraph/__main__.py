"""`python -m kgraph`: as the program `kgraph`, it imports nothing from the current folder."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # where Python has put the current folder

from kgraph.cli import main

main()
