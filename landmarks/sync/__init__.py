"""How far sound and lips are apart."""
