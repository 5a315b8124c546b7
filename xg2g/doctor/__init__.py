"""Finds out what works between receiver and viewer, and what to do about the rest."""

from .examination import CHECKS, examine
from .finding import Finding, Verdict
from .patient import Patient

__all__ = ["CHECKS", "Finding", "Patient", "Verdict", "examine"]
