"""Wrong tokens, counted by where they come from."""

import time
from collections import OrderedDict
from collections.abc import Callable

from ...network.hosts import client_network

ALLOWED = 10
"""Wrong tokens from one place until it is refused."""
FORGOTTEN_AFTER_S = 60.0
"""After the last wrong one."""
PLACES = 1024
"""That are remembered; the one that was longest without a wrong token is forgotten for another."""


class Failures:
    """Says who has tried too often."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """How long this address has to wait until it is heard; 0 for not at all."""
        count, last_s = self._seen.get(client_network(address), (0, 0.0))
        left_s = last_s + FORGOTTEN_AFTER_S - self._clock_s()
        return left_s if count >= ALLOWED and left_s > 0 else 0.0

    def add(self, address: str) -> None:
        """A wrong token came from there."""
        place, now_s = client_network(address), self._clock_s()
        count, last_s = self._seen.pop(place, (0, now_s))
        self._seen[place] = (count + 1 if now_s < last_s + FORGOTTEN_AFTER_S else 1, now_s)
        if len(self._seen) > PLACES:
            self._seen.popitem(last=False)

    def __len__(self) -> int:
        """How many places are remembered."""
        return len(self._seen)
