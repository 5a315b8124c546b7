"""`xg2g simulate`: a receiver for people who have none, and for trying what goes wrong."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from xg2g import event_loop, logs
from xg2g.config.settings import LogSettings
from xg2g.errors import UsageError, UserError
from xg2g.simulator.receiver import DEFAULT_TUNERS, SimulatedReceiver
from xg2g.simulator.stream_server import Credentials


def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the OpenWebif API.")] = 8080,
    stream_port: Annotated[int, typer.Option(help="Port of the streams.")] = 8001,
    relay_port: Annotated[int, typer.Option(help="Port of the stream relay.")] = 17999,
    source: Annotated[
        list[Path] | None,
        typer.Option(help="Transport stream to serve in a loop; may be given several times."),
    ] = None,
    tuners: Annotated[int, typer.Option(min=1, help="Number of tuners.")] = DEFAULT_TUNERS,
    auth: Annotated[
        str | None,
        typer.Option(help="USER:PASSWORD wanted by API and streams.", metavar="USER:PASSWORD"),
    ] = None,
) -> None:
    """Run a simulated Enigma2 receiver, with test cards and a bouquet of faults.

    Point `xg2g serve --receiver` at the address that it prints.
    """
    credentials = _credentials(auth)
    receiver = SimulatedReceiver(
        host=host,
        port=port,
        stream_port=stream_port,
        relay_port=relay_port,
        sources=source or [],
        tuners=tuners,
        api_credentials=credentials,
        stream_credentials=credentials,
    )
    logs.configure(LogSettings())
    event_loop.run(_run(receiver))


def _credentials(auth: str | None) -> Credentials | None:
    if auth is None:
        return None
    user, colon, password = auth.partition(":")
    if not colon:
        raise UsageError("--auth must be USER:PASSWORD")
    return Credentials(user, password)


async def _run(receiver: SimulatedReceiver) -> None:
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
        for service in receiver.services:
            typer.echo(f"  {service.reference!s:36} {service.name}")
        await ended.wait()
