"""The simulated receiver as a process that obeys: a command a line, a line of JSON for each.

python -m tests.load.load_test.receiver TUNERS CHANNELS SOURCE
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from xg2g.app import event_loop, logs
from xg2g.config.settings import LogSettings
from xg2g.simulator import SimulatedReceiver

if TYPE_CHECKING:
    from xg2g.simulator.loop import Loop
    from xg2g.simulator.tuners import Transponder

WEB_PORT, STREAM_PORT, RELAY_PORT = 8080, 8001, 17999
SCRAMBLED = "Card Five HD (scrambled)"


class Obedient:
    """Does to a receiver what it is told."""

    def __init__(self, receiver: SimulatedReceiver, tuners: int) -> None:
        self._receiver = receiver
        self._tuners = tuners
        self._recorded: list[str] = []
        self._cleared: Loop | None = receiver.service(SCRAMBLED).relayed

    async def obey(self, command: str) -> object:
        """Return what there is to tell."""
        receiver = self._receiver
        match command.split():
            case ["stall"]:
                receiver.stall()
            case ["resume"]:
                receiver.resume()
            case ["off"]:
                await receiver.power_off()
            case ["on"]:
                await receiver.power_on()
            case ["close"]:
                for stream in receiver.active_streams:
                    stream.writer.close()
            case ["record"]:
                self._record()
            case ["stop-recording"]:
                for name in self._recorded:
                    receiver.stop_recording(name)
                self._recorded.clear()
            case ["tuners", state]:
                receiver.tuners.closed = state == "closed"
            case ["softcam", state]:
                receiver.service(SCRAMBLED).relayed = self._cleared if state == "on" else None
            case ["think", seconds]:
                receiver.gate.answer_delay_s = float(seconds)
            case ["streams"]:
                return [stream.service.name for stream in receiver.active_streams]
            case _:
                raise ValueError(command)
        return None

    def _record(self) -> None:
        """Timers begin for as many transponders as there are tuners, all at once."""
        seen: set[Transponder] = set()
        for service in reversed(self._receiver.services):
            if service.reference.transponder in seen or len(seen) == self._tuners:
                continue
            seen.add(service.reference.transponder)
            if self._receiver.start_recording(str(service.reference)):
                self._recorded.append(str(service.reference))


async def _run(tuners: int, channels: int, source: Path) -> None:
    receiver = SimulatedReceiver(
        port=WEB_PORT,
        stream_port=STREAM_PORT,
        relay_port=RELAY_PORT,
        tuners=tuners,
        channels=channels,
        bouquets=2,
        guide_days=3,
        sources=[source],
    )
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    obedient = Obedient(receiver, tuners)
    async with receiver:
        while line := await commands.readline():
            answer = json.dumps(await obedient.obey(line.decode()))
            os.write(sys.stdout.fileno(), f"{answer}\n".encode())


if __name__ == "__main__":
    logs.configure(LogSettings())
    event_loop.run(_run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
