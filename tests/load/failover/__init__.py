"""Twenty viewers while transcoders die; `make failover` runs it."""
