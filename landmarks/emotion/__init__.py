"""The emotion in a voice: used, trained, measured."""
