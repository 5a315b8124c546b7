"""The SQLite file that outlives a restart; the rooms above keep their tables in it."""
