"""A client of a running daemon: its channels and metrics."""

from __future__ import annotations

from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class DaemonClient:
    """Reads what a daemon at an address tells of itself."""

    base_url: str

    async def channels(self) -> list[tuple[str, str]]:
        """Name and path of each channel; none while the daemon does not have them."""
        playlist = await self.get("/playlist.m3u")
        found: list[tuple[str, str]] = []
        name = ""
        for line in playlist.splitlines():
            if line.startswith("#EXTINF"):
                name = line.rpartition(",")[2]
            elif line.startswith("http"):
                found.append((name, httpx.URL(line).path))
        return found

    async def metrics(self) -> dict[str, float]:
        """Its metrics, with their labels."""
        lines = (await self.get("/metrics")).splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    async def get(self, path: str) -> str:
        """What it answers; nothing when it does not."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            try:
                response = await client.get(self.base_url + path)
            except httpx.HTTPError:
                return ""
        return response.text if response.status_code == 200 else ""


def outcomes(metrics: dict[str, float]) -> dict[str, int]:
    """How streams ended, and how many each way."""
    return {
        name.partition('"')[2].rstrip('"}'): int(value)
        for name, value in metrics.items()
        if name.startswith("xg2g_streams_total{") and value
    }
