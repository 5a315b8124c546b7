"""Service references."""

import pytest

from xg2g.receiver.service_reference import ServiceReference

BOUQUET = '1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.favourites.tv" ORDER BY bouquet'


def test_a_channel_id_is_the_first_ten_fields_of_the_reference() -> None:
    written = ["1:0:19:283D:3FB:1:C00000:0:0:0:", "1:0:19:283d:03fb:1:C00000:0:0:0::Das Erste HD"]
    ids = {ServiceReference.parse(text).channel_id for text in written}
    assert ids == {"1_0_19_283D_3FB_1_C00000_0_0_0"}


def test_the_stream_path_leaves_the_name_out() -> None:
    reference = ServiceReference.parse("1:0:1:2:3:4:5:0:0:0::Who? Me")
    assert reference.stream_path == "1:0:1:2:3:4:5:0:0:0:"
    assert reference.name == "Who? Me"


def test_the_service_id_is_the_fourth_field_in_hexadecimal() -> None:
    assert ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0:").sid == 10301


@pytest.mark.parametrize("flags", [64, 320, 832])
def test_markers_are_known_by_their_flag(flags: int) -> None:
    marker = ServiceReference.parse(f"1:{flags}:1:0:0:0:0:0:0:0::News")
    assert marker.is_marker
    assert marker.takes_a_number == (flags != 64)
    assert not marker.is_dvb_service


def test_a_bouquet_is_known_by_flag_and_path() -> None:
    bouquet = ServiceReference.parse(BOUQUET)
    assert bouquet.is_bouquet
    assert not bouquet.takes_a_number


@pytest.mark.parametrize(
    "text",
    [
        "4097:0:1:0:0:0:0:0:0:0:http%3a//example.org/a.m3u8:IPTV",
        "1:0:1:1:1:1:0:0:0:0:http%3a//127.0.0.1%3a17999/x:Name",
        "1:0:0:0:0:0:0:0:0:0:/media/hdd/movie/a.ts",
        "1:0:0:0:0:0:0:0:0:0:/etc/passwd",
        '1:134:1:0:0:0:0:0:0:0:FROM BOUQUET "alternatives.a.tv" ORDER BY bouquet',
        "1:0:1:10000:1:1:0:0:0:0:",
    ],
)
def test_only_what_a_tuner_receives_is_a_dvb_service(text: str) -> None:
    assert not ServiceReference.parse(text).is_dvb_service


def test_a_path_is_decoded() -> None:
    reference = ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//a/b:Some%3a name")
    assert (reference.path, reference.name) == ("http://a/b", "Some: name")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "favicon.ico",
        "1:0:19",
        "1:0:19:X:1:1:1:0:0:0:",
        "1:0:-1:1:1:1:1:0:0:0:",
        "1:0:1:123456789:1:1:1:0:0:0:",
        "a:0:1:1:1:1:1:0:0:0:",
        "1:0: 1:1:1:1:1:0:0:0:",
    ],
)
def test_an_invalid_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a service reference"):
        ServiceReference.parse(text)
