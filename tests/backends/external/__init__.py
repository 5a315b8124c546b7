"""The external backend against a scripted service."""
