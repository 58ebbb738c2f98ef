"""Graph → DOT, Mermaid, pydot. Pure."""
