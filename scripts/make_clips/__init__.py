"""Makes the clips of the simulated receiver: `python -m scripts.make_clips`."""
