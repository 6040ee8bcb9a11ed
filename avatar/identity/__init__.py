"""Who is on a picture: an encoder, its training, its measures."""
