"""Whether a viewer who comes now would be served, and why not."""

from .readiness import Part, Readiness
from .state import READY, Finding, State

__all__ = ["READY", "Finding", "Part", "Readiness", "State"]
