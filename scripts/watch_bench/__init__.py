"""Measures what somebody sees of the page: `python -m scripts.watch_bench`."""
