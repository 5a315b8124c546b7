"""MPEG transport stream over HTTP: one response for each viewer."""
