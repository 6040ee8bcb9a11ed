"""The contract: files, clock, face, sound, video, commands. Imported by every stage, imports none of them."""
