"""The playlist, read with the rules of the clients that read it."""

import re

import pytest

from xg2g.clients import m3u as playlist
from xg2g.lineup import Channel, Group, Lineup
from xg2g.receiver.service_reference import ServiceReference

TELEVISION = ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0:")
RADIO = ServiceReference.parse("1:0:2:6DCA:44D:1:C00000:0:0:0:")


def render(
    name: str, *groups: str, reference: ServiceReference = TELEVISION, picon: str = ""
) -> str:
    """The playlist of one channel in these groups."""
    channel = Channel(reference.channel_id, 7, name, (reference,), reference.is_radio, picon)
    lineup = Lineup(
        (channel,), tuple(Group(group, group, False, (channel.id,)) for group in groups)
    )
    return "".join(playlist.render(lineup, lineup.channels, "http://10.0.0.2:8088"))


def attributes(playlist: str) -> dict[str, str]:
    """As Jellyfin reads them: double quotes only."""
    info = next(line for line in playlist.splitlines() if line.startswith("#EXTINF"))
    return dict(re.findall(r'([a-zA-Z0-9-]+)="([^"]*)"', info))


def jellyfin_name(playlist: str) -> str:
    """What follows the last comma, without a number before the first space."""
    info = next(line for line in playlist.splitlines() if line.startswith("#EXTINF"))
    name = info.rpartition(",")[2]
    first, _, rest = name.partition(" ")
    return rest if rest and re.fullmatch(r"[\d.]+", first) else name


def test_a_channel_has_one_url_with_nothing_but_its_id() -> None:
    url = "http://10.0.0.2:8088/stream/1_0_19_283D_3FB_1_C00000_0_0_0.ts"
    assert render("Das Erste HD").splitlines()[-1] == url


def test_the_attributes_that_clients_look_for_are_there() -> None:
    assert attributes(render("Das Erste HD", "HD", "Alle")) == {
        "tvg-id": "1_0_19_283D_3FB_1_C00000_0_0_0",
        "channel-id": "1_0_19_283D_3FB_1_C00000_0_0_0",
        "tvg-chno": "7",
        "channel-number": "7",
        "tvg-name": "Das Erste HD",
        "tvg-logo": "http://10.0.0.2:8088/logos/1_0_19_283D_3FB_1_C00000_0_0_0.png",
        "group-title": "HD;Alle",
        "tvc-stream-vcodec": "h264",
        "tvc-stream-acodec": "aac",
    }


@pytest.mark.parametrize(
    ("kind", "codec"),
    [("19", "h264"), ("16", "h264"), ("1F", "hevc"), ("11", "mpeg2"), ("1", None), ("2", None)],
)
def test_a_codec_is_told_only_where_it_is_known(kind: str, codec: str | None) -> None:
    reference = ServiceReference.parse(f"1:0:{kind}:283D:3FB:1:C00000:0:0:0:")
    told = attributes(render("Das Erste", reference=reference))
    assert told.get("tvc-stream-vcodec") == codec
    assert told["tvc-stream-acodec"] == "aac"
    # A number of Gracenote's guide: any other would lead to a foreign channel's programmes.
    assert "tvc-guide-stationid" not in told


def test_no_codec_is_told_for_segments_or_several_tracks() -> None:
    web = ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//example.org/live.m3u8:Web")
    assert not [name for name in attributes(render("Web", reference=web)) if "tvc" in name]
    channel = Channel(TELEVISION.channel_id, 7, "A", (TELEVISION,), False, "")
    lineup = Lineup((channel,), ())
    both = "".join(playlist.render(lineup, lineup.channels, "http://10.0.0.2", only_aac=False))
    assert "tvc-stream-vcodec" in attributes(both)
    assert "tvc-stream-acodec" not in attributes(both)


def test_kodi_is_told_the_type_so_that_it_does_not_open_the_stream_to_find_out() -> None:
    lines = render("A").splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["#EXTINF", "#KODIPROP", "http"]
    assert lines[2] == "#KODIPROP:mimetype=video/mp2t"


def test_radio_is_marked_as_radio() -> None:
    assert attributes(render("Bayern 3", reference=RADIO))["radio"] == "true"


def test_a_double_quote_in_a_name_ends_no_attribute() -> None:
    text = render('The "Best", Of', 'My "own"')
    assert attributes(text)["tvg-name"] == "The 'Best', Of"
    assert attributes(text)["group-title"] == "My 'own'"
    assert jellyfin_name(text) == "The 'Best' Of"


def test_a_name_with_a_comma_reaches_jellyfin_whole() -> None:
    assert jellyfin_name(render("Sky Sport, Top Event")) == ("Sky Sport Top Event")


def test_a_name_of_nothing_but_commas_is_the_number() -> None:
    assert jellyfin_name(render(",,")) == "7"


def test_a_name_that_begins_with_a_number_reaches_jellyfin_whole() -> None:
    name = jellyfin_name(render("24 Horas"))
    assert name.split() == ["24", "Horas"]


def test_a_semicolon_in_a_bouquets_name_makes_no_second_group() -> None:
    assert attributes(render("A", "B;C", "D"))["group-title"] == "B,C;D"


def test_the_first_line_has_the_guides_url_in_both_spellings() -> None:
    guide = "http://10.0.0.2:8088/xmltv.xml"
    assert render("A").splitlines()[0] == f'#EXTM3U url-tvg="{guide}" x-tvg-url="{guide}"'


def test_a_channel_without_picon_at_the_receiver_has_no_logo_url() -> None:
    assert "tvg-logo" in attributes(render("A", picon="/picon/1_0_1.png"))
    assert "tvg-logo" not in attributes(render("A", picon="/images/default_picon.png"))


def kodi_name(playlist: str) -> str:
    """What follows the first comma behind the last quote (pvr.iptvsimple)."""
    info = next(line for line in playlist.splitlines() if line.startswith("#EXTINF"))
    return info[info.rindex('"') :].partition(",")[2]


def test_kodi_and_jellyfin_read_the_same_name() -> None:
    for name in ("Das Erste HD", 'The "Best", Of', "24 Horas", 'a=b,c="d"', "  x  ,  y  "):
        text = render(name)
        assert jellyfin_name(text) == kodi_name(text)
        assert "," not in kodi_name(text)
