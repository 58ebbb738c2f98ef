"""`python -m kgraph`: as the program `kgraph`, it imports nothing from the current folder."""

import os
import sys

if not sys.flags.safe_path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]  # where Python has put that folder

from kgraph.entry import main

main()
