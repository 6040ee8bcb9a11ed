"""Does a head move with the sound: a judge that tells the right sound from another."""
