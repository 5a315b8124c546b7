"""What the daemon answers over HTTP, and to whom."""
