"""What the checks look at, and what earlier ones left for later ones."""

from dataclasses import dataclass, field

from xg2g.config import Settings
from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.openwebif import ListedService, OpenWebif


@dataclass(kw_only=True)
class Patient:
    """One installation. Every check may read all of it."""

    settings: Settings
    address: ReceiverAddress | None
    """None when no receiver is set."""
    openwebif: OpenWebif | None
    wanted: str | None = None
    """Name of the channel to look at; None for the first that can be played."""
    sample_s: float = 5.0
    """How long a channel is watched."""
    is_running: bool = False
    """xg2g itself has been met on its port."""
    answers: bool = False
    """The receiver's web interface has answered."""
    services: list[ListedService] = field(default_factory=list)
    """The channels of the bouquets that were looked into."""

    @property
    def channel(self) -> ListedService | None:
        """The one to look at."""
        if self.wanted is None:
            return next(iter(self.services), None)
        name = self.wanted.casefold()
        return next((it for it in self.services if it.name.casefold() == name), None)
