"""The API under /api/v1: how its answers look, who may ask, and the document that describes it."""
