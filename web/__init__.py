"""Pages in a browser: a photo made to speak, and a face that speaks live."""
