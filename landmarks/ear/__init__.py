"""A pretrained speech encoder: features of a recording, of a stream, and of a corpus to train on."""
