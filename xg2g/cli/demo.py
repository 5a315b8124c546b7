"""`xg2g demo`: the daemon with a simulated receiver."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from xg2g.config import Configuration
from xg2g.config.settings import ReceiverSettings
from xg2g.errors import UserError

from .options import Configure, with_settings


@with_settings("server", "audio", "external", "log")
def demo(
    configure: Configure,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.ts", help="Also serve this transport stream; repeat for several files."
        ),
    ] = None,
) -> None:
    """Serve a simulated receiver's channels, to try xg2g without a receiver.

    The test cards show a running clock, and beep and flash every second. Some channels have the
    faults of real ones.

    **Examples**

    `xg2g demo`

    With a recording of your own as a channel:

    `xg2g demo --source recording.ts`
    """
    from xg2g.app import event_loop, logs

    configuration = configure()
    logs.configure(configuration.settings.log)
    logs.note(configuration)
    event_loop.run(_demo(configuration, configure, source or []))


async def _demo(configuration: Configuration, configure: Configure, sources: list[Path]) -> None:
    from xg2g.app.daemon import run
    from xg2g.simulator import RecordingError, SimulatedReceiver

    from .announcement import announce

    try:
        receiver = SimulatedReceiver(sources=sources)
    except RecordingError as error:
        raise UserError(str(error)) from error
    async with receiver:
        simulated = ReceiverSettings(
            url=receiver.base_url,
            stream_port=receiver.stream_port,
            relay_port=receiver.relay_port,
        )

        def with_simulated(configuration: Configuration) -> Configuration:
            settings = replace(configuration.settings, receiver=simulated)
            return replace(configuration, settings=settings)

        await run(
            with_simulated(configuration).settings,
            on_ready=announce,
            keep_data=False,
            reread=lambda: with_simulated(configure()),
        )
