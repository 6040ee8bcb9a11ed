"""Landmarks to the motion files of other programs, and back: blendshapes of ARKit, mouth shapes of Rhubarb Lip Sync."""
