"""The lineup: which channels there are, under which numbers, and how that is kept fresh."""

from .lineup import Channel, Group, Lineup

__all__ = ["Channel", "Group", "Lineup"]
