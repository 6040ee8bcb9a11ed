"""Landmarks and a photo to video."""
