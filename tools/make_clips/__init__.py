"""Makes the clips of the simulated receiver: `python -m tools.make_clips`."""
