"""Many viewers in one process that costs little: it reads every socket each 50 ms.

python -m bench.fanout.watchers PORT

Reads a JSON object a line and answers each with a line: {"watch": PATH, "viewers": N} adds N
viewers, {"measure": SECONDS} gives the fields of `Seen`, {"leave": true} disconnects all.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bench.fanout.lag import PACKET_BYTES, Broadcast, Distribution, newest_pcr_s

TURN_S: Final = 0.05
SAMPLE_EVERY: Final = 2
"""Turns: the lag is looked at each 100 ms."""
LATE_S: Final = 1.0
"""A viewer further behind the broadcast than this is late."""
BETWEEN_REQUESTS_S: Final = 0.01
READ_BYTES: Final = 512 * 1024
VIEWERS_PER_ADDRESS: Final = 64
"""More would be refused: the daemon bounds what one address can take."""
SOCKET_BYTES: Final = 1024 * 1024
"""For what comes in a turn; less would be a viewer who reads slowly."""


@dataclass
class Seen:
    """What the viewers saw in the time of one measurement."""

    viewers: int = 0
    """Viewers that received bytes."""
    refused: dict[str, int] = field(default_factory=dict)
    """First line of each response without a stream, and how often it came."""
    ended: int = 0
    """Streams that ended."""
    late: int = 0
    """Viewers that were late."""
    lag_s: list[float] = field(default_factory=list)
    """50, 95, 99 and 100 % of the samples of all viewers are not above these."""
    pause_s: float = 0.0
    """The longest between two turns in which bytes came for a viewer."""
    bytes: int = 0
    turn_late_s: float = 0.0
    """By how much this process missed its own turn at worst. It adds to the lag of all."""


@dataclass(eq=False)
class Watcher:
    """One viewer."""

    connection: socket.socket
    broadcast: Broadcast
    head: bytearray | None = field(default_factory=bytearray)
    """What came of the answer's head; None behind it."""
    received: int = 0
    """Bytes of the body."""
    pcr_s: float | None = None
    last_s: float = 0.0
    is_late: bool = False


class Watchers:
    """All of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._all: list[Watcher] = []
        self._broadcasts: dict[str, Broadcast] = {}
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._refused: Counter[str] = Counter()
        self._asked = 0
        self._turns = 0
        self._next_s = time.monotonic()
        self._forget()

    def _forget(self) -> None:
        self._seen = Seen()
        self._lags = Distribution()
        for watcher in self._all:
            watcher.is_late = False
            watcher.last_s = 0.0

    def watch(self, path: str, viewers: int) -> None:
        """Add `viewers` viewers of the channel at this path."""
        broadcast = self._broadcasts.setdefault(path, Broadcast())
        request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nUser-Agent: fanout\r\n\r\n".encode()
        for _ in range(viewers):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
            self._asked += 1
            connection.bind((f"127.0.0.{2 + self._asked // VIEWERS_PER_ADDRESS}", 0))
            connection.connect(("127.0.0.1", self._port))
            connection.sendall(request)
            connection.setblocking(False)
            self._all.append(Watcher(connection, broadcast))
            self.go_on(BETWEEN_REQUESTS_S)

    def leave(self) -> None:
        """Disconnect all viewers."""
        for watcher in self._all:
            watcher.connection.close()
        self._all.clear()
        self._asked = 0
        self._refused.clear()

    def measure(self, seconds: float) -> Seen:
        """Read for this many seconds, and return what the viewers saw."""
        self._forget()
        self.go_on(seconds)
        seen = self._seen
        seen.viewers = sum(watcher.received > 0 for watcher in self._all)
        seen.refused = dict(self._refused)
        seen.late = sum(watcher.is_late for watcher in self._all)
        seen.lag_s = self._lags.percentiles()
        return seen

    def go_on(self, seconds: float) -> None:
        """Take turns for this many seconds."""
        until_s = time.monotonic() + seconds
        while True:
            now_s = time.monotonic()
            if now_s >= until_s:
                return
            if now_s < self._next_s:
                time.sleep(min(self._next_s, until_s) - now_s)
                continue
            self._seen.turn_late_s = max(self._seen.turn_late_s, now_s - self._next_s)
            self._next_s = max(self._next_s + TURN_S, now_s)
            self.turn()

    def turn(self) -> None:
        """Read every stream once; measure the lag each `SAMPLE_EVERY` turns."""
        self._turns += 1
        for watcher in list(self._all):
            if not self._read(watcher):
                watcher.connection.close()
                self._all.remove(watcher)
        if self._turns % SAMPLE_EVERY == 0:
            self._sample()

    def _read(self, watcher: Watcher) -> bool:
        """Read what has arrived; return False at the end of the stream."""
        came = 0
        try:
            while size := watcher.connection.recv_into(self._buffer):
                came += size
                body = self._body(watcher, size)
                if body is None:
                    return False
                # In each turn: what comes each 100 ms may never come in that of the sample.
                if body:
                    self._look(watcher, body)
                watcher.received += len(body)
                if size < READ_BYTES:
                    break
            else:
                self._seen.ended += 1
                return False
        except BlockingIOError:
            pass
        except OSError:
            self._seen.ended += 1
            return False
        if came:
            now_s = time.monotonic()
            if watcher.last_s:
                self._seen.pause_s = max(self._seen.pause_s, now_s - watcher.last_s)
            watcher.last_s = now_s
            self._seen.bytes += came
        return True

    def _body(self, watcher: Watcher, size: int) -> memoryview | None:
        """What of the bytes read belongs to the body; None when there is to be none."""
        if watcher.head is None:
            return self._view[:size]
        before = len(watcher.head)
        watcher.head += self._view[:size]
        end = watcher.head.find(b"\r\n\r\n")
        if end < 0:
            return self._view[:0]
        line = watcher.head.partition(b"\r\n")[0].decode()
        if " 200 " not in line:
            self._refused[line] += 1
            return None
        watcher.head = None
        return self._view[end + 4 - before : size]

    def _look(self, watcher: Watcher, body: memoryview) -> None:
        pcr_s = newest_pcr_s(body, -watcher.received % PACKET_BYTES)
        if pcr_s is not None:
            watcher.pcr_s = pcr_s
            watcher.broadcast.arrived(pcr_s, time.monotonic())

    def _sample(self) -> None:
        now_s = time.monotonic()
        for watcher in self._all:
            if watcher.pcr_s is not None:
                lag_s = watcher.broadcast.lag_s(watcher.pcr_s, now_s)
                self._lags.values.append(lag_s)
                watcher.is_late |= lag_s > LATE_S


def _obey(watchers: Watchers, command: dict[str, Any]) -> object:
    match command:
        case {"watch": path, "viewers": viewers}:
            watchers.watch(path, viewers)
        case {"leave": True}:
            watchers.leave()
        case {"measure": seconds}:
            return asdict(watchers.measure(seconds))
        case _:
            raise ValueError(command)
    return None


def main() -> None:
    watchers = Watchers(int(sys.argv[1]))
    while True:
        # Between two commands they read on.
        while not select.select([sys.stdin], [], [], 0)[0]:
            watchers.go_on(TURN_S)
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(json.dumps(_obey(watchers, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
