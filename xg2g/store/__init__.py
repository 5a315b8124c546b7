"""What outlives a restart: channels and their numbers, the guide, picons, in one SQLite file."""
