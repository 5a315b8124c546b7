"""`xg2g simulate`: a simulated receiver, for trying xg2g without one and for trying faults."""

import asyncio
from contextlib import AsyncExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xg2g.config.settings import LogSettings
from xg2g.errors import UsageError, UserError
from xg2g.simulator.options import DEFAULT_GUIDE_DAYS, DEFAULT_TUNERS, Generation

if TYPE_CHECKING:
    from xg2g.simulator import Credentials, SimulatedReceiver

_LISTED_SERVICES = 40


class AuthFor(Enum):
    """The parts of the receiver that ask for user and password."""

    BOTH = "both"
    WEB = "web"
    STREAMS = "streams"


Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option("--port", metavar="PORT", help="Port of the web interface (OpenWebif).")
]
StreamPort = Annotated[
    int, typer.Option("--stream-port", metavar="PORT", help="Port of the streams.")
]
RelayPort = Annotated[
    int, typer.Option("--relay-port", metavar="PORT", help="Port of the stream relay.")
]
Sources = Annotated[
    list[Path] | None,
    typer.Option(
        "--source",
        metavar="FILE.ts",
        help="Transport stream to serve in a loop; repeat for several files.",
    ),
]
Tuners = Annotated[int, typer.Option("--tuners", min=1, metavar="COUNT", help="Number of tuners.")]
Channels = Annotated[
    int,
    typer.Option(
        "--channels",
        min=0,
        max=10_000,
        metavar="COUNT",
        help="Number of additional channels, which repeat the test cards.",
    ),
]
Bouquets = Annotated[
    int,
    typer.Option("--bouquets", min=1, metavar="COUNT", help="Number of bouquets for --channels."),
]
GuideDays = Annotated[
    int,
    typer.Option(
        "--guide-days", min=1, max=28, metavar="DAYS", help="Length of the guide in days."
    ),
]
WebInterface = Annotated[
    Generation,
    typer.Option(
        "--generation",
        help="OpenWebif of E2OpenPlugins (1.5, e) or oe-alliance (2.x, o).",
        case_sensitive=False,
    ),
]
Slow = Annotated[
    float,
    typer.Option(
        "--slow",
        min=0,
        metavar="SECONDS",
        help="Delay of each answer; requests wait for each other.",
    ),
]
Whitelist = Annotated[
    bool,
    typer.Option(
        "--whitelist/--no-whitelist", help="Offer the list of services for the stream relay."
    ),
]
Zapstream = Annotated[
    bool,
    typer.Option(
        "--zapstream", help="Switch the television to a service when its playlist is read."
    ),
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="USER:PASSWORD",
        help="User and password that web interface and streams ask for.",
    ),
]
WhatAsks = Annotated[AuthFor, typer.Option("--auth-for", help="What asks for them, if not both.")]


def simulate(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    stream_port: StreamPort = 8001,
    relay_port: RelayPort = 17999,
    source: Sources = None,
    tuners: Tuners = DEFAULT_TUNERS,
    channels: Channels = 0,
    bouquets: Bouquets = 1,
    guide_days: GuideDays = DEFAULT_GUIDE_DAYS,
    generation: WebInterface = Generation.O,
    slow: Slow = 0,
    whitelist: Whitelist = True,
    zapstream: Zapstream = False,
    auth: Auth = None,
    auth_for: WhatAsks = AuthFor.BOTH,
) -> None:
    """Run a simulated Enigma2 receiver, with test cards and a bouquet of faults.

    Pass the address that it prints to `xg2g serve --receiver`.

    **Examples**

    A big lineup on a slow receiver:

    `xg2g simulate --channels 500 --bouquets 20 --slow 1`

    An old receiver with a single tuner:

    `xg2g simulate --generation e --tuners 1`
    """
    from xg2g.app import event_loop, logs
    from xg2g.simulator import SimulatedReceiver

    credentials = _credentials(auth)
    receiver = SimulatedReceiver(
        host=host,
        port=port,
        stream_port=stream_port,
        relay_port=relay_port,
        sources=source or [],
        tuners=tuners,
        channels=channels,
        bouquets=bouquets,
        guide_days=guide_days,
        generation=generation,
        answer_delay_s=slow,
        whitelist=whitelist,
        zaps_on_playlist=zapstream,
        api_credentials=credentials if auth_for is not AuthFor.STREAMS else None,
        stream_credentials=credentials if auth_for is not AuthFor.WEB else None,
    )
    logs.configure(LogSettings())
    event_loop.run(_run(receiver))


def _credentials(auth: str | None) -> "Credentials | None":
    from xg2g.simulator import Credentials

    if auth is None:
        return None
    user, colon, password = auth.partition(":")
    if not colon:
        raise UsageError("--auth has no colon; write it as USER:PASSWORD")
    return Credentials(user, password)


async def _run(receiver: "SimulatedReceiver") -> None:
    from xg2g.app import signals

    ended = asyncio.Event()
    async with AsyncExitStack() as stack:
        for number in signals.STOP:
            stack.enter_context(signals.handling(number, ended.set))
        try:
            await stack.enter_async_context(receiver)
        except OSError as error:
            ports = "choose other ports with --port, --stream-port and --relay-port"
            raise UserError(f"cannot listen: {error.strerror}; {ports}") from error
        typer.echo(f"receiver   {receiver.base_url}  (streams on port {receiver.stream_port})")
        services = receiver.services
        for service in services[:_LISTED_SERVICES]:
            typer.echo(f"  {service.reference!s:36} {service.name}")
        if len(services) > _LISTED_SERVICES:
            typer.echo(f"  and {len(services) - _LISTED_SERVICES} more")
        await ended.wait()
