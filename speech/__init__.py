"""Text to speech, speech to words, and when each is said."""
