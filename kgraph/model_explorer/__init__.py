"""What Google's Model Explorer is told: `model-explorer FILE.keras --extensions=kgraph.model_explorer`."""
