"""What a viewer or a program is told of a finished video: a mark that is seen, credentials that are signed."""
