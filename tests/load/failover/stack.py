"""A simulated receiver with many tuners, a daemon, and transcoders that can be killed."""

from collections.abc import Sequence
from pathlib import Path

from tests.harness.ports import free_address, free_port
from tests.harness.process import BIN, Process
from tests.harness.stack import Settings, Stack
from tests.harness.transcoder import Transcoder


def pods(
    count: int, folder: Path, *flags: str, tcp: bool = True, name: str = "transcoder"
) -> list[Transcoder]:
    """Return transcoders with these flags that are not started, on TCP or on Unix sockets."""
    return [
        Transcoder(
            free_address() if tcp else f"unix://{folder}/{number}.sock",
            *flags,
            name=f"{name} {number}",
            folder=folder,
        )
        for number in range(count)
    ]


def failover_stack(
    folder: Path, transcoders: Sequence[Transcoder], *, address: str = "", channels: int = 0
) -> Stack:
    """Return a stack with these transcoders.

    `address`: the daemon reaches all of them there. `channels`: more than the receiver's own.
    """
    api, streams, relay = (str(free_port()) for _ in range(3))
    simulate = ("simulate", "--port", api, "--stream-port", streams, "--relay-port", relay)
    receiver = (*simulate, "--tuners", "40", "--channels", str(channels))
    settings: Settings = {
        "receiver": {
            "url": f"http://127.0.0.1:{api}",
            "stream_port": int(streams),
            "relay_port": int(relay),
            "wait": True,
        },
        "server": {"port": free_port()},
        "hdhomerun": {"discovery": False},
        **({"external": {"transcoder": address}} if address else {}),
    }
    return Stack(
        folder,
        Process(BIN / "xg2g", *receiver, name="receiver", folder=folder),
        settings,
        transcoders,
        addressed=not address,
    )
