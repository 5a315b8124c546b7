"""The stream relay of a softcam (port 17999): the stream port seen through another server.

It requires raw colons in the path, and the whole request in one read of at most 1024 bytes;
otherwise it closes the connection without an answer. It answers at once, with bare line feeds. It
fetches the stream from the address in `Host`, if that is the first header and has a port.
Otherwise it tries the viewer's address, where there is no stream: nothing follows the answer.
"""

import asyncio

from xg2g.simulator.connections import while_connected
from xg2g.simulator.stream_server import StreamServer

MAX_REQUEST_BYTES = 1024
MAX_PATH_BYTES = 254
MAX_CONNECTIONS = 16

SUCCESS = (
    b"HTTP/1.0 200 OK\nConnection: Close\nContent-Type: video/mpeg\nServer: stream_enigma2\n\n"
)


class Relay:
    """The handler of connections to the relay port; it sends the stream server's streams."""

    def __init__(self, streams: StreamServer) -> None:
        self._streams = streams
        self._connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection; the caller closes it."""
        request = await reader.read(MAX_REQUEST_BYTES)
        method, _, rest = request.partition(b" ")
        path = rest.split(b" ", 1)[0]
        acceptable = method == b"GET" and b":" in path and len(path) <= MAX_PATH_BYTES
        if not acceptable or self._connections >= MAX_CONNECTIONS:
            return
        self._connections += 1
        try:
            writer.write(SUCCESS)
            if _source(request):
                await while_connected(reader, self._streams.send(path, writer, cleared=True))
        finally:
            self._connections -= 1


def _source(request: bytes) -> bytes | None:
    """Return the address from which the relay fetches the stream."""
    _, _, headers = request.partition(b"\n")
    name, _, host = headers.split(b"\n", 1)[0].strip().partition(b":")
    return host.strip() if name == b"Host" and b":" in host else None
