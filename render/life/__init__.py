"""Life in a face: what is measured of it."""
