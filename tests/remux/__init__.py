"""The remuxer, driven through the embedded backend and judged from outside."""
