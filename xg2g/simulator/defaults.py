"""What a simulated receiver has unless it is told otherwise."""

DEFAULT_TUNERS = 8
"""As a receiver with a full-band-capture tuner has."""
DEFAULT_GUIDE_DAYS = 7
