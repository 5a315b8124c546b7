"""What a simulated receiver can be told: its defaults and its generation of OpenWebif."""

from enum import Enum

DEFAULT_TUNERS = 8
"""The number of a receiver with a full-band-capture tuner."""
DEFAULT_GUIDE_DAYS = 7


class Generation(Enum):
    """The two families of OpenWebif, which differ in many details."""

    # E2OpenPlugins, up to 1.5.
    E = "e"
    # oe-alliance, 2.x.
    O = "o"  # noqa: E741

    @property
    def version(self) -> str:
        """Return the version as in `webifver`."""
        return "OWIF 1.5.2" if self is Generation.E else "OWIF 2.4.0"
