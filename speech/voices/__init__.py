"""The voice Kokoro: symbols of sounds, speakers, the model, and how something is said."""
