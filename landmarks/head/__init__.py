"""Motion of head and brows from speech and a seed."""
