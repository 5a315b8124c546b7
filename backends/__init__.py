"""One remuxer interface, and the ways to run the remuxer behind it."""
