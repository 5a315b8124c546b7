"""Starts receivers, transcoders and daemons, for tests and measurements."""
