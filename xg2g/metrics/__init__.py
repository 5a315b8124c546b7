"""What is counted for Prometheus, and where it is looked up."""

from .metrics import Metrics, Outcome

__all__ = ["Metrics", "Outcome"]
