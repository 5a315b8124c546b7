"""The API under /api/v1: operations by subject, their models, the OpenAPI document, its page."""
