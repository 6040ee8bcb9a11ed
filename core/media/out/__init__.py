"""Where a video goes that is no file: a folder of pictures, standard output, a server."""
