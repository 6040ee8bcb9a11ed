"""Several people in one picture: who says what and when, and the frames in which they say it."""
