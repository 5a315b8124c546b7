"""xg2g as a network tuner: an emulation of the HDHomeRun, which media servers know."""
