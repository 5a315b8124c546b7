"""Metrics for Prometheus."""

from .metrics import Metrics, Outcome

__all__ = ["Metrics", "Outcome"]
