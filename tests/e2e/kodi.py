"""Kodi with its IPTV add-on, on a screen that nobody sees; operated as its remotes do."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import escape

from tests.harness.house import House, until

_PORT = 9090
"""Of JSON-RPC, as Kodi is delivered."""
_ADD_ON = "pvr.iptvsimple"


class KodiError(Exception):
    """Kodi answers that it cannot."""


class Kodi:
    """A Kodi that runs."""

    def ask(self, method: str, **parameters: object) -> Any:
        """Call a method of JSON-RPC and give its result."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        with socket.create_connection(("127.0.0.1", _PORT), timeout=20) as connection:
            connection.sendall(json.dumps(request).encode())
            text = ""
            # What Kodi notifies of meanwhile stands before the answer, without a separator.
            while received := connection.recv(1 << 16):
                text += received.decode()
                while text:
                    try:
                        message, end = json.JSONDecoder().raw_decode(text)
                    except ValueError:
                        break
                    text = text[end:]
                    if message.get("id") == 1:
                        if "result" not in message:
                            raise KodiError(f"{method}: {message}")
                        return message["result"]
        raise AssertionError(f"Kodi hangs up on {method}")

    def answers(self) -> bool:
        try:
            return bool(self.ask("JSONRPC.Ping") == "pong")
        except OSError:
            return False

    def channels(self, group: int | str = "alltv") -> list[dict[str, Any]]:
        try:
            found = self.ask("PVR.GetChannels", channelgroupid=group)
        except KodiError:
            # It has not begun with television.
            return []
        return list(found.get("channels", []))

    def groups(self, kind: str) -> dict[str, int]:
        """Name -> id of the groups of `tv` or `radio`."""
        found = self.ask("PVR.GetChannelGroups", channeltype=kind)["channelgroups"]
        return {group["label"]: group["channelgroupid"] for group in found}

    def programmes(self, channel_id: int) -> list[dict[str, Any]]:
        properties = ["title", "starttime", "endtime", "plot", "genre"]
        found = self.ask("PVR.GetBroadcasts", channelid=channel_id, properties=properties)
        return list(found.get("broadcasts", []))

    def played_s(self) -> float:
        """How far the player has come."""
        properties = ["time", "speed"]
        playing = self.ask("Player.GetActivePlayers")
        if not playing:
            return 0
        player = playing[0]["playerid"]
        time = self.ask("Player.GetProperties", playerid=player, properties=properties)["time"]
        return float(
            time["hours"] * 3600
            + time["minutes"] * 60
            + time["seconds"]
            + time["milliseconds"] / 1000
        )


@contextmanager
def kodi(home: House) -> Iterator[Kodi]:
    """Kodi, told of the house's playlist and guide."""
    settings = home.home / f".kodi/userdata/addon_data/{_ADD_ON}/settings.xml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        _settings(
            m3uPathType="1",
            m3uUrl=home.playlist_url,
            epgPathType="1",
            epgUrl=f"{home.url}/xmltv.xml",
        )
    )
    with _screen(home) as display:
        environment = {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        with home.client("kodi", "--standalone", environment=environment):
            running = Kodi()
            until(running.answers, "Kodi answers")
            running.ask("Addons.SetAddonEnabled", addonid=_ADD_ON, enabled=True)
            yield running


def _settings(**values: str) -> str:
    lines = [f'<setting id="{name}">{escape(value)}</setting>' for name, value in values.items()]
    return f'<settings version="2">{"".join(lines)}</settings>'


@contextmanager
def _screen(home: House) -> Iterator[str]:
    """An X server without a screen; yields its DISPLAY, which it chooses itself."""
    reading, writing = os.pipe()
    command = ("Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24")
    with os.fdopen(reading) as chosen, home.client(*command, pass_fds=(writing,)):
        os.close(writing)
        display = chosen.readline().strip()
        assert display, "Xvfb does not start"
        yield f":{display}"
