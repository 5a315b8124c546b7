"""Measures what somebody sees of the page: `python -m tests.load.playback`."""
