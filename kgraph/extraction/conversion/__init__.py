"""Models of older files in the form of Keras 3: their configs, calls and weights."""
