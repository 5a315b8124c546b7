"""Many viewers by HLS in one process that costs little: the kernel throws away what they download.

python -m bench.fanout.hls_watchers PORT

Reads a JSON object a line and answers each with a line, as `bench.fanout.watchers` does:
{"watch": PATH, "viewers": N}, PATH being that of a multivariant playlist, {"measure": SECONDS},
which gives the fields of `Seen`, and {"leave": N}, which lets the first N leave.

A viewer has one connection. It loads the playlist of the picture again after the time of its last
segment, or half of that where nothing is new (draft-pantos-hls-rfc8216bis, 6.3.4), and every
segment of the picture and of the first sound. It begins three target durations before the end, and
is late when a segment is not there at the time when the one before it has been played.
"""

from __future__ import annotations

import gzip
import heapq
import itertools
import json
import re
import select
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bench.fanout.lag import Distribution
from bench.fanout.watchers import BETWEEN_REQUESTS_S, VIEWERS_PER_ADDRESS
from tests.harness.media_playlist import MediaPlaylist

READ_BYTES: Final = 256 * 1024
BEHIND: Final = 3
"""Target durations before the end at which a viewer begins."""

_HEAD: Final = "HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: fanout\r\nAccept-Encoding: gzip\r\n\r\n"
_GZIP: Final = b"\x1f\x8b"


@dataclass
class Seen:
    """What the viewers saw in the time of one measurement."""

    viewers: int = 0
    """Viewers that have downloaded a segment."""
    refused: dict[str, int] = field(default_factory=dict)
    """First lines of answers other than 200."""
    ended: int = 0
    """Connections that the other side closed."""
    late: int = 0
    """Viewers for whom a segment came too late."""
    late_s: float = 0.0
    """By how much at most."""
    answer_s: list[float] = field(default_factory=list)
    """From request to the answer's last byte: 50, 95, 99 and 100 % are not above these."""
    requests: int = 0
    bytes: int = 0
    """Of segments."""


class Viewer:
    """One viewer's state between its requests; it does no I/O.

    `next` is the path to request now, or None until `at_s`.
    """

    def __init__(self, index: str) -> None:
        self.at_s = 0.0
        self.late_s = 0.0
        self.has_played = False
        self.has_left = False
        self._index = index
        self._base = index.rpartition("/")[0]
        self._media = ""
        self._sound: tuple[str, str] | None = None
        self._wanted: deque[tuple[str, float]] = deque()
        """Paths, and by how much time more can be played with each."""
        self._asked = index
        self._number = -1
        """Of the next segment."""
        self._plays_until_s = 0.0

    def next(self) -> str:
        """Return what to request."""
        if self._wanted:
            self._asked = self._wanted[0][0]
        else:
            self._asked = self._media or self._index
        return self._asked

    @property
    def wants_body(self) -> bool:
        """Return whether the response's body has to be kept."""
        return self._asked.endswith(".m3u8")

    def answered(self, body: str, now_s: float) -> None:
        """Go on after a 200."""
        if self._asked == self._index:
            self._choose(body)
        elif self._asked == self._media:
            self._look(MediaPlaylist.of(body), now_s)
        else:
            self._take(self._wanted.popleft()[1], now_s)

    def _take(self, duration_s: float, now_s: float) -> None:
        if not self.has_played:
            self._plays_until_s = now_s
            self.has_played = True
        if now_s > self._plays_until_s:
            self.late_s += now_s - self._plays_until_s
            self._plays_until_s = now_s
        self._plays_until_s += duration_s

    def refused(self, now_s: float) -> None:
        """Go on after another answer."""
        self._wanted.clear()
        self._media, self._number = "", -1
        self.at_s = now_s + 1

    def _choose(self, body: str) -> None:
        [picture, *_] = [line for line in body.splitlines() if line and line[0] != "#"]
        self._media = f"{self._base}/{picture}"
        sounds = re.findall(r'#EXT-X-MEDIA:TYPE=AUDIO.*URI="([^"]+)"', body)
        if sounds:
            self._sound = (_rendition(picture), _rendition(sounds[0]))

    def _look(self, listed: MediaPlaylist, now_s: float) -> None:
        end = listed.first + len(listed.segments)
        if self._number < listed.first:
            self._number = listed.beginning(BEHIND * listed.target_s)
        is_new = end > self._number
        folder = self._media.rpartition("/")[0]
        for duration_s, uri in listed.segments[self._number - listed.first :]:
            if uri:
                # The picture last: both are there with it.
                if self._sound is not None:
                    mine, other = self._sound
                    self._wanted.append((f"{folder}/{uri.replace(mine, other, 1)}", 0.0))
                self._wanted.append((f"{folder}/{uri}", duration_s))
        self._number = end
        last_s = listed.segments[-1][0] if listed.segments else listed.target_s
        self.at_s = now_s + (last_s if is_new else last_s / 2)


def _rendition(uri: str) -> str:
    return uri.removesuffix(".m3u8").rpartition("/")[2]


@dataclass(eq=False)
class Connection:
    """A viewer's connection, and what it waits for."""

    socket: socket.socket
    viewer: Viewer
    asked_s: float = 0.0
    head: bytearray = field(default_factory=bytearray)
    left: int = -1
    """Bytes of the body that are missing; -1 while the head is."""
    body: bytearray = field(default_factory=bytearray)
    status: str = ""


class Watchers:
    """All of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._buffer = bytearray(READ_BYTES)
        self._by_file: dict[int, Connection] = {}
        self._waiting: list[tuple[float, int, Connection]] = []
        self._order = itertools.count()
        self._asked = 0
        self._refused: Counter[str] = Counter()
        self._forget()

    def _forget(self) -> None:
        self._seen = Seen()
        self._answers = Distribution()
        for connection in self._by_file.values():
            connection.viewer.late_s = 0.0

    def watch(self, path: str, viewers: int) -> None:
        """Add `viewers` viewers of the channel of this playlist."""
        for _ in range(viewers):
            self._asked += 1
            connection = Connection(socket.socket(), Viewer(path))
            host = f"127.0.0.{2 + self._asked // VIEWERS_PER_ADDRESS}"
            connection.socket.bind((host, 0))
            connection.socket.connect(("127.0.0.1", self._port))
            connection.socket.setblocking(False)
            self._by_file[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, select.EPOLLIN)
            self._request(connection)
            self.go_on(BETWEEN_REQUESTS_S)

    def leave(self, viewers: int) -> None:
        """Disconnect the first `viewers` viewers."""
        for connection in list(self._by_file.values())[:viewers]:
            del self._by_file[connection.socket.fileno()]
            connection.socket.close()
            connection.viewer.has_left = True

    def measure(self, seconds: float) -> Seen:
        """Let time pass, and return what was seen in it."""
        self._refused.clear()
        self._forget()
        self.go_on(seconds)
        seen = self._seen
        viewers = [connection.viewer for connection in self._by_file.values()]
        seen.viewers = sum(viewer.has_played for viewer in viewers)
        seen.late = sum(viewer.late_s > 0 for viewer in viewers)
        seen.late_s = max((viewer.late_s for viewer in viewers), default=0.0)
        seen.refused = dict(self._refused)
        seen.answer_s = self._answers.percentiles()
        return seen

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        until_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < until_s:
            while self._waiting and self._waiting[0][0] <= now_s:
                ready = heapq.heappop(self._waiting)[2]
                if not ready.viewer.has_left:
                    self._request(ready)
            next_s = min(self._waiting[0][0], until_s) if self._waiting else until_s
            for number, _ in self._poll.poll(max(0.0, next_s - now_s)):
                if (connection := self._by_file.get(number)) is not None:
                    self._read(connection)

    def _request(self, connection: Connection) -> None:
        path = connection.viewer.next()
        connection.asked_s = time.monotonic()
        connection.left = -1
        connection.head.clear()
        connection.body.clear()
        try:
            connection.socket.send(f"GET {path} {_HEAD}".encode())
        except OSError:
            self._lost(connection)

    def _read(self, connection: Connection) -> None:
        try:
            if connection.left < 0:
                self._read_head(connection)
            elif connection.viewer.wants_body:
                self._take(connection, connection.socket.recv(connection.left))
            else:
                # The kernel throws away what it would have copied.
                most = min(READ_BYTES, connection.left)
                count = connection.socket.recv_into(self._buffer, most, socket.MSG_TRUNC)
                if not count:
                    self._lost(connection)
                    return
                connection.left -= count
                self._seen.bytes += count
            if connection.left == 0:
                self._done(connection)
        except BlockingIOError:
            return
        except OSError:
            self._lost(connection)

    def _read_head(self, connection: Connection) -> None:
        data = connection.socket.recv(4096)
        if not data:
            self._lost(connection)
            return
        connection.head += data
        head, end, rest = connection.head.partition(b"\r\n\r\n")
        if not end:
            return
        text = head.decode("latin-1")
        connection.status = text.partition("\r\n")[0]
        length = re.search(r"(?im)^content-length: *([0-9]+)", text)
        connection.left = int(length[1]) if length else 0
        if rest:
            self._take(connection, bytes(rest))

    def _take(self, connection: Connection, data: bytes) -> None:
        if not data and connection.left:
            self._lost(connection)
            return
        connection.left -= len(data)
        if connection.viewer.wants_body:
            connection.body += data

    def _done(self, connection: Connection) -> None:
        now_s = time.monotonic()
        viewer = connection.viewer
        self._seen.requests += 1
        self._answers.values.append(now_s - connection.asked_s)
        if connection.status.endswith(" 200 OK"):
            viewer.at_s = now_s
            body = connection.body
            text = gzip.decompress(body) if body.startswith(_GZIP) else bytes(body)
            viewer.answered(text.decode(), now_s)
        else:
            self._refused[connection.status] += 1
            viewer.refused(now_s)
        heapq.heappush(self._waiting, (viewer.at_s, next(self._order), connection))

    def _lost(self, connection: Connection) -> None:
        self._seen.ended += 1
        self._by_file.pop(connection.socket.fileno(), None)
        connection.socket.close()


def main() -> None:
    watchers = Watchers(int(sys.argv[1]))
    while True:
        # Between two commands they go on.
        while not select.select([sys.stdin], [], [], 0)[0]:
            watchers.go_on(0.05)
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(json.dumps(_obey(watchers, json.loads(line))) + "\n")
        sys.stdout.flush()


def _obey(watchers: Watchers, command: dict[str, Any]) -> dict[str, Any]:
    if "watch" in command:
        watchers.watch(command["watch"], command["viewers"])
    elif "measure" in command:
        return asdict(watchers.measure(command["measure"]))
    else:
        watchers.leave(command["leave"])
    return {"done": True}


if __name__ == "__main__":
    main()
