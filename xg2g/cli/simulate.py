"""`xg2g simulate`: a receiver for people who have none, and for trying what goes wrong."""

import asyncio
import signal
import sys
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
    """Who wants user and password."""

    BOTH = "both"
    WEB = "web"
    STREAMS = "streams"


def simulate(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="Port of the OpenWebif API.")] = 8080,
    stream_port: Annotated[int, typer.Option(metavar="PORT", help="Port of the streams.")] = 8001,
    relay_port: Annotated[
        int, typer.Option(metavar="PORT", help="Port of the stream relay.")
    ] = 17999,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.ts",
            help="Transport stream to serve in a loop; may be given several times.",
        ),
    ] = None,
    tuners: Annotated[
        int, typer.Option(min=1, metavar="COUNT", help="Number of tuners.")
    ] = DEFAULT_TUNERS,
    channels: Annotated[
        int,
        typer.Option(
            min=0,
            max=10_000,
            metavar="COUNT",
            help="Number of additional services that show the cards.",
        ),
    ] = 0,
    bouquets: Annotated[
        int, typer.Option(min=1, metavar="COUNT", help="Bouquets to spread --channels over.")
    ] = 1,
    guide_days: Annotated[
        int, typer.Option(min=1, max=28, metavar="DAYS", help="Days of programme guide.")
    ] = DEFAULT_GUIDE_DAYS,
    generation: Annotated[
        Generation,
        typer.Option(
            help="OpenWebif of E2OpenPlugins (1.5, e) or oe-alliance (2.x, o).",
            case_sensitive=False,
        ),
    ] = Generation.O,
    slow: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="Think so long about each answer, one after the other."
        ),
    ] = 0,
    whitelist: Annotated[
        bool, typer.Option(help="Have a list of services for the stream relay.")
    ] = True,
    zapstream: Annotated[
        bool, typer.Option("--zapstream", help="Zap to a service whose playlist is fetched.")
    ] = False,
    auth: Annotated[
        str | None,
        typer.Option(help="USER:PASSWORD wanted by API and streams.", metavar="USER:PASSWORD"),
    ] = None,
    auth_for: Annotated[AuthFor, typer.Option(help="Which of the two want it.")] = AuthFor.BOTH,
) -> None:
    """Run a simulated Enigma2 receiver, with test cards and a bouquet of faults.

    Point `xg2g serve --receiver` at the address that it prints.

    **Examples**

    A big lineup on a weak receiver:

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
        raise UsageError("--auth must be USER:PASSWORD")
    return Credentials(user, password)


async def _run(receiver: "SimulatedReceiver") -> None:
    ended = asyncio.Event()
    if sys.platform != "win32":  # there, Ctrl-C cancels this, and nothing else is sent
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(receiver)
        except OSError as error:
            ports = "--port, --stream-port and --relay-port choose others"
            raise UserError(f"cannot listen: {error.strerror}; {ports}") from error
        typer.echo(f"receiver   {receiver.base_url}  (streams on port {receiver.stream_port})")
        services = receiver.services
        for service in services[:_LISTED_SERVICES]:
            typer.echo(f"  {service.reference!s:36} {service.name}")
        if len(services) > _LISTED_SERVICES:
            typer.echo(f"  and {len(services) - _LISTED_SERVICES} more")
        await ended.wait()
