"""What tests lend each other; no test imports from a test."""
