"""Recordings to arrays."""
