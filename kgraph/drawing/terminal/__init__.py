"""Graph, or what is shared in it, → text for a terminal. Pure."""
