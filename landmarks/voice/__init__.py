"""Voice activity detection: the gate that lets the face rest."""
