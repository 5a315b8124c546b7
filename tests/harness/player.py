"""What a player does, and what it finds."""

import asyncio
import io
import re

import av
import httpx

STREAM_S = 6
"""Of each channel, so that every track has its languages, codec and some sound."""


async def channels(client: httpx.AsyncClient, playlist: str) -> dict[str, str]:
    """Name -> URL, as a player reads a playlist."""
    text = (await client.get(playlist)).raise_for_status().text
    return dict(re.findall(r"^#EXTINF[^\n]*,(.*)\n(?:#.*\n)*(http.*)$", text, re.MULTILINE))


async def watch(client: httpx.AsyncClient, url: str, stream_s: float = STREAM_S) -> bytes:
    received = b""
    async with client.stream("GET", url) as response:
        assert response.status_code == 200
        async with asyncio.timeout(60):
            async for chunk in response.aiter_raw():
                received += chunk
                if span_s(received) > stream_s:
                    break
    return received


def span_s(stream: bytes) -> float:
    """Time from the first to the last PCR."""
    pcrs = clocks_s(stream)
    return pcrs[-1] - pcrs[0] if pcrs else 0


def clocks_s(stream: bytes) -> list[float]:
    """The PCRs."""
    return [
        int.from_bytes(stream[at + 6 : at + 10], "big") / 45_000
        for at in range(0, len(stream) - 187, 188)
        if stream[at + 3] & 0x20 and stream[at + 4] > 6 and stream[at + 5] & 0x10
    ]


def seen(
    stream: bytes, *, is_spliced: bool = False
) -> tuple[str | None, list[tuple[str, str]], int]:
    """What a player finds: video codec, audio tracks (codec, language), seconds of sound.

    Where a transcoder died, a frame may be cut. A player passes over what then does not decode.
    """
    with av.open(io.BytesIO(stream), "r", format="mpegts") as container:
        video = container.streams.video[0].codec.name if container.streams.video else None
        decodable = [track for track in container.streams.audio if track.rate]
        tracks = [(track.codec.name, str(track.language)) for track in decodable]
        # The last one is cut where the viewer left.
        *whole, _ = (packet for packet in container.demux(decodable[0]) if packet.size)
        samples = 0
        for packet in whole:
            try:
                samples += sum(frame.samples for frame in packet.decode())
            except av.InvalidDataError:
                if not is_spliced:
                    raise
        return video, sorted(tracks), samples // decodable[0].rate
