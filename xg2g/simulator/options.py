"""The two families of OpenWebif."""

from enum import Enum

DEFAULT_TUNERS = 8
"""As a receiver with a full-band-capture tuner has."""
DEFAULT_GUIDE_DAYS = 7


class Generation(Enum):
    """Which OpenWebif the receiver has; they differ in what nobody would expect."""

    # E2OpenPlugins, up to 1.5.
    E = "e"
    # oe-alliance, 2.x.
    O = "o"  # noqa: E741

    @property
    def version(self) -> str:
        """As `webifver` says it."""
        return "OWIF 1.5.2" if self is Generation.E else "OWIF 2.4.0"
