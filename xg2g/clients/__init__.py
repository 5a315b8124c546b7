"""Documents that players and media servers read."""
