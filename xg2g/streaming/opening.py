"""The opening of a live stream: whether there is anything to see, and where to begin.

A receiver answers 200 for a channel that it cannot descramble, and sends noise; a softcam's relay
sends noise for the first half second, until it has the key. So the first packets are looked at, and
noise is held back. `transport_scrambling_control` says which they are (ISO/IEC 13818-1, 2.4.3.3).

    Unknown -- a clear start of a picture, or 8 clear packets ----> Clear
       |                                                              ^
       '-- a scrambled packet --> Scrambled -- a clear start ---------'
                                       |       of a picture, or 200 packets without noise
                                       '-- (the caller loses patience)
"""

PACKET_BYTES = 188

_CLEAR_PACKETS = 8
"""A tenth of a second of radio; television is recognised by its picture before."""
_CLEAR_AFTER_NOISE_PACKETS = 200
_FIRST_ELEMENTARY_PID = 0x20
"""Below are tables, which are never scrambled (EN 300 468, table 1)."""
_PMT_TABLE_ID = 0x02
_VIDEO_STREAM_IDS = frozenset(bytes((number,)) for number in range(0xE0, 0xF0))


class Opening:
    """Takes a stream's packets until it is known to be clear."""

    def __init__(self) -> None:
        self.scrambled = False
        """Whether noise has come, and nothing clear behind it yet."""
        self._held = bytearray()
        self._tables: dict[int, bytes] = {}
        self._clear_packets = 0

    def take(self, packets: bytes) -> bytes | None:
        """Return what the stream begins with once it is clear, else None.

        `packets` are whole. After noise the stream begins with its tables and its first clear
        picture: sound from long before it makes some players lose sync for good.
        """
        for at in range(0, len(packets), PACKET_BYTES):
            packet = packets[at : at + PACKET_BYTES]
            if self._is_the_beginning(packet):
                return self._beginning() + packets[at:]
            if not self.scrambled:
                self._held += packet
        return None

    def rest(self) -> bytes:
        """What was held of a stream that ended while it was unknown."""
        return bytes(self._held)

    def _is_the_beginning(self, packet: bytes) -> bool:
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        payload = _payload(packet)
        if payload is None:
            return False
        starts = bool(packet[1] & 0x40)
        if pid < _FIRST_ELEMENTARY_PID or (starts and payload[1:2] == bytes((_PMT_TABLE_ID,))):
            if starts:
                self._tables[pid] = packet
            return False
        if pid in self._tables:
            self._tables[pid] += packet
            return False
        if packet[3] & 0xC0:
            self.scrambled = True
            self._clear_packets = 0
            self._held.clear()
            return False
        self._clear_packets += 1
        wanted = _CLEAR_AFTER_NOISE_PACKETS if self.scrambled else _CLEAR_PACKETS
        return (starts and _is_picture(payload)) or self._clear_packets >= wanted

    def _beginning(self) -> bytes:
        if not self.scrambled:
            return bytes(self._held)
        self.scrambled = False
        return b"".join(self._tables.values())


def _payload(packet: bytes) -> bytes | None:
    """What is behind the adaptation field; None if there is nothing."""
    if not packet[3] & 0x10:
        return None
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _is_picture(payload: bytes) -> bool:
    """A PES packet of video begins here (ISO/IEC 13818-1, 2.4.3.7)."""
    return payload[:3] == b"\0\0\1" and payload[3:4] in _VIDEO_STREAM_IDS
