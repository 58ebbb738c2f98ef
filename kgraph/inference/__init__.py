"""A submodel over data: rows in, arrays out, in memory or in files that can be gone on with."""
