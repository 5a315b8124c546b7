"""xg2g as a network tuner: found and read as the HDHomeRun, which media servers know."""
