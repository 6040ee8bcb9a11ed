"""The whole measured on held-out clips, in one report."""
