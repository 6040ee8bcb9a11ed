"""Sound, pictures, video, words and captions: how each is read and written."""
