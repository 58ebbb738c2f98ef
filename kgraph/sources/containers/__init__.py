"""Files, opened: what each format holds. Edge modules."""
