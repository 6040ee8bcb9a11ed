"""A pretrained speech encoder listens once; the landmark network reads what it heard."""
