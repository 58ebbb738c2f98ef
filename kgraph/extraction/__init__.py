"""A plan and its source → a model, or a file."""
