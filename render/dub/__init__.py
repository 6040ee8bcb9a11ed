"""A new voice over a video: the mouth and jaw of a prediction in place of the person's own."""
