"""A face that speaks along with a microphone: `python -m web.live`."""
