"""A simulated receiver with forty tuners, a daemon, and transcoders that can be killed."""

from pathlib import Path

from tests.harness.ports import free_address, free_port
from tests.harness.process import BIN, Process
from tests.harness.stack import Settings, Stack
from tests.harness.transcoder import Transcoder


def failover_stack(folder: Path, transcoders: int, *, tcp: bool) -> Stack:
    """Return a stack with this number of transcoders, on TCP or on Unix sockets."""
    api, streams, relay = (str(free_port()) for _ in range(3))
    simulate = ("simulate", "--port", api, "--stream-port", streams, "--relay-port", relay)
    settings: Settings = {
        "receiver": {
            "url": f"http://127.0.0.1:{api}",
            "stream_port": int(streams),
            "relay_port": int(relay),
            "wait": True,
        },
        "server": {"port": free_port()},
        "hdhomerun": {"discovery": False},
    }
    return Stack(
        folder,
        Process(BIN / "xg2g", *simulate, "--tuners", "40", name="receiver", folder=folder),
        settings,
        [
            Transcoder(
                free_address() if tcp else f"unix://{folder}/{number}.sock",
                name=f"transcoder {number}",
                folder=folder,
            )
            for number in range(transcoders)
        ],
    )
