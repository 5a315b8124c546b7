"""The remuxer in other processes. Nothing is imported here: an address needs no HTTP client."""
