"""Finds out what works between receiver and viewer, and what to do about the rest."""
