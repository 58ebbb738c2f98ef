"""A page to explore a model in: one HTML file, with its layouts made beforehand."""
