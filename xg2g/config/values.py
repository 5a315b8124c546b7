"""What a setting can hold: from the text that was written to the value, or to what is wrong.

Each type reads texts, since that is all that a file, a variable and a flag give; what it raises
is one line for a user.
"""

import csv
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from xg2g.network import is_host
from xg2g.receiver.address import ReceiverAddress
from xg2g.web.hosts import ANY, host_of
from xg2g.web.origins import origin_of
from xg2g_backends.base import RemuxOptions


def _bits_per_second(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]{1,9})(k?)", value.strip().lower())
    if match is None:
        raise ValueError(f'"{value[:60]}" is not a bit rate; write 192000 or 192k')
    return int(match[1]) * (1000 if match[2] else 1)


def _separated(value: object) -> object:
    items = _items(value) if isinstance(value, str) else value
    if isinstance(items, list | tuple) and all(isinstance(item, str) for item in items):
        return tuple(item.strip() for item in items if item.strip())
    return value


def _items(text: str) -> list[str]:
    """Cut a text at its commas and line breaks, but not within quotation marks (RFC 4180).

    Marks that enclose no whole item belong to the text.
    """
    # csv takes blanks before a field, and none behind its closing mark.
    lines = [re.sub(r'"\s+(?=,|$)', '"', line) for line in text.splitlines()]
    try:
        rows = list(csv.reader(lines, skipinitialspace=True, strict=True))
    except csv.Error:
        rows = [line.split(",") for line in text.splitlines()]
    return [item for row in rows for item in row]


def _tracks(value: object) -> object:
    if isinstance(value, str):
        codes = _separated(value)
        return value.strip() if codes in (("all",), ("first",), ()) else codes
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _remuxer_takes(option: str) -> AfterValidator:
    def check(value: Any) -> Any:
        RemuxOptions(**{option: value})
        return value

    return AfterValidator(check)


def _ports(ports: tuple[int, ...]) -> tuple[int, ...]:
    for port in ports:
        if not 1 <= port <= 65535:
            raise ValueError(f"{port} is no port; ports are 1 to 65535")
    return tuple(dict.fromkeys(ports))


def _receiver_url(url: str) -> str:
    if url:
        ReceiverAddress.parse(url)
    return url


def _public_url(url: str) -> str:
    if url:
        parts = urlsplit(url)
        plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>?#')
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
            raise ValueError("write it as http://tv.example.org or https://example.org/tv")
    return url.rstrip("/")


def _transcoder_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    if urls:
        # Here, since it brings an HTTP client, which most calls of the command need not.
        from xg2g_backends.external import ServiceAddress
    for url in urls:
        ServiceAddress.parse(url)
    return urls


def _listening_host(host: str) -> str:
    # An empty one would be every address of this computer.
    if not is_host(host):
        raise ValueError(
            "write an address of this computer, such as 127.0.0.1, or 0.0.0.0 for all of them"
        )
    return host


def _host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name != ANY and (host_of(name) is None or ":" in name):
            raise ValueError(f"{name} is no host name; write tv.example.org, or * for every name")
    return names


def _web_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if origin != ANY and origin_of(origin) is None:
            raise ValueError(
                f"{origin} is no origin; write https://dash.example.org without a path, or * for "
                "every page"
            )
    return origins


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("a name is one line of text")
    return text.strip()


def _user(user: str | None) -> str | None:
    # RFC 7617, 2: everything behind the first colon would be password.
    if user and (":" in user or not user.isprintable()):
        raise ValueError("a user's name has no colon and no line break in it")
    return user


def _one_word(token: SecretStr | None) -> SecretStr | None:
    # RFC 6750, 2.1: it goes into a header.
    text = token.get_secret_value() if token else ""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("a token is one word of ASCII letters, digits and signs")
    return token if text else None


Seconds = Annotated[float, Field(gt=0, le=600)]
Port = Annotated[int, Field(ge=1, le=65535)]
PortOrAny = Annotated[int, Field(ge=0, le=65535)]
Ports = Annotated[tuple[int, ...], BeforeValidator(_separated), AfterValidator(_ports)]
"""`80,5004`"""
ListeningHost = Annotated[str, AfterValidator(_listening_host)]
ReceiverUrl = Annotated[str, AfterValidator(_receiver_url)]
"""Empty for none, as the other URLs."""
PublicUrl = Annotated[str, AfterValidator(_public_url)]
TranscoderUrls = Annotated[
    tuple[str, ...], BeforeValidator(_separated), AfterValidator(_transcoder_urls)
]
"""`http://one:3000,http://two:3000`"""
Texts = Annotated[tuple[str, ...], BeforeValidator(_separated)]
"""`one,two`, or `"one, and a comma",two`"""
HostNames = Annotated[tuple[str, ...], BeforeValidator(_separated), AfterValidator(_host_names)]
"""`tv.example.org,tv.example.net`, or `*`"""
WebOrigins = Annotated[tuple[str, ...], BeforeValidator(_separated), AfterValidator(_web_origins)]
"""`https://dash.example.org,http://192.168.1.5:8123`, or `*`"""
OneLine = Annotated[str, Field(max_length=64), AfterValidator(_one_line)]
User = Annotated[str | None, AfterValidator(_user)]
Token = Annotated[SecretStr | None, AfterValidator(_one_word)]
"""None when empty."""
BitRate = Annotated[int, BeforeValidator(_bits_per_second), _remuxer_takes("bitrate")]
"""`192000` or `192k`"""
AudioChannels = Annotated[int, _remuxer_takes("channels")]
SampleRate = Annotated[int, _remuxer_takes("sample_rate")]
Tracks = Annotated[
    Literal["all", "first"] | tuple[str, ...], BeforeValidator(_tracks), _remuxer_takes("tracks")
]
"""`all`, `first`, or `deu,eng`"""
DualMono = Annotated[Literal["both", "left", "right"], BeforeValidator(_lower)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
LogFormat = Annotated[Literal["auto", "text", "json"], BeforeValidator(_lower)]
