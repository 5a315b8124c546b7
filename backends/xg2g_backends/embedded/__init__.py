"""The remuxer in this process. Nothing is imported here: converting a file takes no event loop."""
