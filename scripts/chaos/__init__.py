"""Twenty viewers while transcoders die; `make chaos` runs it."""
