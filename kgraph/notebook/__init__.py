"""What a notebook or a Python prompt shows of a graph."""
