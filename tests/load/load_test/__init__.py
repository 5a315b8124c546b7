"""Thirty viewers for half an hour, and a receiver that misbehaves; `make load` runs it."""
