"""The 68 points of a face: what they mean, how they are found, moved and drawn."""
