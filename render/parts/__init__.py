"""Mouth and lids: what a photo does not hold, drawn by a network."""
