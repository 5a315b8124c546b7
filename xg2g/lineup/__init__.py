"""The lineup: the channels and their numbers, and how it is kept up to date."""

from .lineup import Channel, Group, Lineup

__all__ = ["Channel", "Group", "Lineup"]
