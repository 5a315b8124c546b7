"""URLs of transcoder services."""

import pytest

from xg2g_backends.external.address import ServiceAddress


@pytest.mark.parametrize(
    ("text", "url", "socket"),
    [
        ("http://transcoder:3000", "http://transcoder:3000", None),
        ("http://transcoder:3000/", "http://transcoder:3000", None),
        ("https://transcoder", "https://transcoder", None),
        ("http://[::1]:3000", "http://[::1]:3000", None),
        ("unix:///run/xg2g/t.sock", "http://transcoder", "/run/xg2g/t.sock"),
    ],
)
def test_services_listen_on_tcp_or_on_a_unix_socket(
    text: str, url: str, socket: str | None
) -> None:
    address = ServiceAddress.parse(text)
    assert (address.url, address.socket) == (url, socket)
    assert str(address) == text.rstrip("/")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("transcoder:3000", "http://192.168.1.20:3000"),
        ("ftp://transcoder", "http://192.168.1.20:3000"),
        ("http://", "http://192.168.1.20:3000"),
        ("", "http://192.168.1.20:3000"),
        ("http://transcoder:port", "port"),
        ("http://transcoder:3000/v1/remuxers", "path, query or fragment"),
        ("unix://run/xg2g.sock", "unix:///run"),
        ("unix:t.sock", "unix:///run"),
    ],
)
def test_an_invalid_url_is_refused_with_an_example(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ServiceAddress.parse(text)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="XG2G_EXTERNAL_TRANSCODER_TOKEN") as raised:
        ServiceAddress.parse("http://user:geheim@transcoder:3000")
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("service", "location", "url"),
    [
        ("http://t:3000", "/v1/remuxers/a", "http://t:3000/v1/remuxers/a"),
        (
            "http://t:3000",
            "http://10.0.0.7:3000/v1/remuxers/a",
            "http://10.0.0.7:3000/v1/remuxers/a",
        ),
        # The token goes along: to no other scheme, to nobody else's password prompt.
        ("https://t", "http://10.0.0.7/v1/remuxers/a", "https://t/v1/remuxers/a"),
        ("http://t", "http://u:p@10.0.0.7/v1/remuxers/a", "http://t/v1/remuxers/a"),
        ("http://t", "//10.0.0.7/v1/remuxers/a", "http://t/v1/remuxers/a"),
        ("unix:///t.sock", "http://10.0.0.7/v1/remuxers/a", "http://transcoder/v1/remuxers/a"),
    ],
)
def test_a_location_is_followed_by_the_same_scheme_alone(
    service: str, location: str, url: str
) -> None:
    assert ServiceAddress.parse(service).resolve(location) == url
