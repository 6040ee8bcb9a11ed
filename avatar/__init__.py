"""A photo as a comic with somebody else's features."""
