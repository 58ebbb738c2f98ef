"""Which stored weights are which layer's, and what they are called. Pure."""
