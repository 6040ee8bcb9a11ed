"""Picture models: landmarks to face crops (PyTorch)."""
