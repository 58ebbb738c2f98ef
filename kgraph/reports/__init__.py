"""Graph → facts. Pure."""
