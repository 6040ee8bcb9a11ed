"""Pages for readers; `generate` writes those that follow from the code."""
