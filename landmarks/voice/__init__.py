"""Is somebody speaking: the gate that lets the face rest."""
