"""Graph → text and pictures. Pure: what is drawn is returned."""
