"""What any file is, and a picture of it."""
