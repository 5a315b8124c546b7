"""The daemon's HTTP routes, by subject."""
