"""Where a daemon in a process of its own says that it serves."""

import asyncio


async def announced_address(output: asyncio.StreamReader) -> str:
    """Read the block that it prints once it serves, up to its playlist; without a final slash."""
    while line := (await output.readline()).decode():
        name, _, value = line.strip().partition(" ")
        if name == "playlist":
            return value.strip().removesuffix("/playlist.m3u")
    raise AssertionError("it ended before it served")
