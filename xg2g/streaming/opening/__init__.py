"""Where a viewer's stream begins."""

from .opening import PATIENCE_S, Opening, Phase

__all__ = ["PATIENCE_S", "Opening", "Phase"]
