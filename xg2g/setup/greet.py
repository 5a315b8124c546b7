"""The first words with a receiver."""

from dataclasses import dataclass

from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.openwebif import RADIO, TELEVISION, About, OpenWebif, RequestPolicy

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who answered."""

    address: ReceiverAddress
    about: About
    bouquets: tuple[str, ...]
    """Names of the bouquets, television before radio, in the receiver's order."""


async def greet(address: ReceiverAddress) -> Greeting:
    """Ask a receiver what it is and which bouquets it has. Raises `ReceiverError`."""
    async with OpenWebif(
        address,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        answer_timeout_s=ANSWER_TIMEOUT_S,
        policy=RequestPolicy(attempts=1),
    ) as receiver:
        about = await receiver.about()
        names = [
            bouquet.name
            for kind in (TELEVISION, RADIO)
            for bouquet in await receiver.bouquets(kind)
        ]
    return Greeting(address, about, tuple(dict.fromkeys(names)))
