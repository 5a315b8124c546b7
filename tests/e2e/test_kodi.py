"""Kodi with pvr.iptvsimple: lists, guide, and a channel that plays."""

import xml.etree.ElementTree as ET
from itertools import pairwise

from tests.e2e.kodi import kodi
from tests.harness.house import House, until


def test_kodi_lists_channels_groups_and_guide_and_plays_a_channel(home: House) -> None:
    channels = list(home.channels())
    with kodi(home) as running:
        until(lambda: bool(running.channels()), "Kodi has read the playlist")
        tv = [channel["label"] for channel in running.channels()]
        radio = [channel["label"] for channel in running.channels("allradio")]
        assert radio == ["Radio Four"]
        assert tv == [name for name in channels if name not in radio]
        groups = running.groups("tv")
        assert {"Favourites (TV)", "More", "Faults", "Elsewhere"} <= groups.keys()
        assert "Favourites (Radio)" in running.groups("radio")
        in_more = {channel["label"] for channel in running.channels(groups["More"])}
        assert in_more == {"Card Three & Friends", "Card One HD"}

        first = running.channels()[0]["channelid"]
        until(lambda: bool(running.programmes(first)), "Kodi has read the guide")
        assert all(programme["title"] for programme in running.programmes(first))
        guide = ET.fromstring(home.get("/xmltv.xml").content)
        known = {element.text for element in guide.iterfind("programme/title")}
        assert {programme["title"] for programme in running.programmes(first)} <= known

        running.ask("Player.Open", item={"channelid": first})
        until(lambda: home.watching() == 1, "Kodi watches")
        positions_s: list[float] = []

        def plays_on() -> bool:
            """Three seconds of it; where its clock leaps as the stream begins is no playing."""
            positions_s.append(running.played_s())
            steps = (after - before for before, after in pairwise(positions_s))
            return sum(step for step in steps if 0 < step < 2) > 3

        until(plays_on, "Kodi plays on")
        running.ask("Player.Stop", playerid=1)
        until(lambda: home.watching() == 0, "Kodi has left the channel")
