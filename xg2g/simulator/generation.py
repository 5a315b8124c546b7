"""The two families of OpenWebif."""

from enum import Enum


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
