"""The playlist, read with the rules of the clients that read it."""

import re

from xg2g.lineup import Channel
from xg2g.playlist import render
from xg2g.receiver.service_reference import ServiceReference

TELEVISION = ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0:")
RADIO = ServiceReference.parse("1:0:2:6DCA:44D:1:C00000:0:0:0:")


def channel(name: str, *groups: str, reference: ServiceReference = TELEVISION) -> Channel:
    return Channel(reference, 7, name, groups)


def attributes(playlist: str) -> dict[str, str]:
    """As Jellyfin reads them: double quotes only."""
    return dict(re.findall(r'([a-zA-Z0-9-]+)="([^"]*)"', playlist))


def jellyfin_name(playlist: str) -> str:
    """What follows the last comma, without a number before the first space."""
    info = next(line for line in playlist.splitlines() if line.startswith("#EXTINF"))
    name = info.rpartition(",")[2]
    first, _, rest = name.partition(" ")
    return rest if rest and re.fullmatch(r"[\d.]+", first) else name


def test_a_channel_has_one_url_that_says_nothing_but_its_id() -> None:
    playlist = render([channel("Das Erste HD")], "http://10.0.0.2:8088")
    url = "http://10.0.0.2:8088/stream/1_0_19_283D_3FB_1_C00000_0_0_0.ts"
    assert playlist.splitlines()[-1] == url


def test_the_attributes_that_clients_look_for_are_there() -> None:
    assert attributes(render([channel("Das Erste HD", "HD", "Alle")], "http://x")) == {
        "tvg-id": "1_0_19_283D_3FB_1_C00000_0_0_0",
        "channel-id": "1_0_19_283D_3FB_1_C00000_0_0_0",
        "tvg-chno": "7",
        "channel-number": "7",
        "tvg-name": "Das Erste HD",
        "group-title": "HD;Alle",
    }


def test_kodi_is_told_the_type_so_that_it_does_not_open_the_stream_to_find_out() -> None:
    lines = render([channel("A")], "http://x").splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line.split(":")[0] for line in lines[1:]] == ["#EXTINF", "#KODIPROP", "http"]
    assert lines[2] == "#KODIPROP:mimetype=video/mp2t"


def test_radio_is_marked_as_radio() -> None:
    assert attributes(render([channel("Bayern 3", reference=RADIO)], "http://x"))["radio"] == "true"


def test_a_double_quote_in_a_name_ends_no_attribute() -> None:
    playlist = render([channel('The "Best", Of', 'My "own"')], "http://x")
    assert attributes(playlist)["tvg-name"] == "The 'Best', Of"
    assert attributes(playlist)["group-title"] == "My 'own'"
    assert jellyfin_name(playlist) == "The 'Best' Of"


def test_a_name_with_a_comma_reaches_jellyfin_whole() -> None:
    assert jellyfin_name(render([channel("Sky Sport, Top Event")], "http://x")) == (
        "Sky Sport Top Event"
    )


def test_a_name_that_begins_with_a_number_reaches_jellyfin_whole() -> None:
    name = jellyfin_name(render([channel("24 Horas")], "http://x"))
    assert name.split() == ["24", "Horas"]


def test_a_semicolon_in_a_bouquets_name_makes_no_second_group() -> None:
    assert attributes(render([channel("A", "B;C", "D")], "http://x"))["group-title"] == "B,C;D"
