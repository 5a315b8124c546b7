"""This computer: address, port, stored data and audio conversion."""

import asyncio
import errno
import json
import os
import shutil
from collections.abc import AsyncIterator

import httpx

from xg2g.app.backend import choose_backend
from xg2g.app.listening import listen
from xg2g.errors import UserError
from xg2g.network.http_bodies import IDENTITY_ONLY, read_small_body
from xg2g.network.local_network import own_address
from xg2g.store.location import default_directory

from .check import CheckContext, Finding, bad, good, note

LEAST_FREE_MB = 200

_HEALTH_LIMIT_BYTES = 64 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


async def listening(context: CheckContext) -> AsyncIterator[Finding]:
    """Check which devices can reach xg2g."""
    host = context.settings.server.host
    if host in _LOOPBACK:
        yield note(
            "network",
            f"only this computer can watch: xg2g listens on {host}",
            "to let other devices in, set server.host to 0.0.0.0 (or start with --host 0.0.0.0)",
        )
    else:
        address = own_address() or "this computer's address"
        where = address if host in ("0.0.0.0", "::") else host
        yield good("network", f"every device that can reach {where} can watch")


async def port(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that xg2g's port is free, or used by xg2g itself."""
    server = context.settings.server
    try:
        listen(server.host, server.port).close()
    except UserError as error:
        cause = error.__cause__
        taken = isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
        if taken and (version := await _own_version(server.host, server.port)):
            context.is_running = True
            yield good("port", f"xg2g {version} is running on port {server.port}")
        else:
            advice = f"find the program: ss -ltnp 'sport = :{server.port}'" if taken else ""
            yield bad("port", str(error), advice)
    else:
        yield good("port", f"port {server.port} is free for xg2g")


async def data(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that channel numbers and guide can be stored."""
    directory = context.settings.data.dir or default_directory()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield bad(
            "data",
            f"{directory} cannot be written: channel numbers may change at each start",
            "change the owner of the directory, or set data.dir",
        )
        return
    free_mb = shutil.disk_usage(existing).free / 1e6
    if free_mb < LEAST_FREE_MB:
        advice = "delete other files, or set data.dir"
        text = f"{directory} has only {free_mb:.0f} MB free; a guide needs up to 100 MB"
        yield note("data", text, advice)
    else:
        yield good("data", f"stored in {directory}", free_mb=free_mb)


async def _own_version(host: str, port: int) -> str | None:
    """Return the version of the xg2g that listens there; None when another program does."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/healthz"
    try:
        async with (
            httpx.AsyncClient(timeout=3, trust_env=False) as client,
            asyncio.timeout(3),
            client.stream("GET", url, headers=IDENTITY_ONLY) as response,
        ):
            body = await read_small_body(response, limit_bytes=_HEALTH_LIMIT_BYTES)
        answer = json.loads(body or b"")
        return str(answer["version"]) if isinstance(answer["status"], str) else None
    except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        return None


async def backend(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that audio can be converted."""
    chosen = choose_backend(context.settings)
    try:
        health = await chosen.check()
    finally:
        await chosen.aclose()
    versions = ", ".join(f"{name} {number}" for name, number in health.versions.items())
    if health.usable:
        yield good("sound", f"converted by the {chosen.name} backend ({versions})")
    else:
        what, _, advice = health.detail.partition("; ")
        yield bad("sound", what, advice)
    for warning in health.warnings:
        yield note("sound", warning)
