"""Configs of all versions of Keras, and the graphs that they describe. Pure."""
