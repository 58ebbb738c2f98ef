"""Graph → Graph. Pure."""
