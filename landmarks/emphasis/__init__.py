"""Emphasis: how far a face moves, by the effort of the voice and by a style."""
