"""What of an input the elements of a tensor depend on, axis by axis, and how each class changes that."""
