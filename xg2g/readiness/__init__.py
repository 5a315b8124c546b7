"""Readiness: whether a new viewer would get a stream, and if not, why."""

from .readiness import READY, Finding, Part, Readiness, State

__all__ = ["READY", "Finding", "Part", "Readiness", "State"]
