"""The types of settings, each with its parser.

A parser takes text, because files, variables and flags hold nothing else. It returns the value, or
raises `ValueError` with one line for a user.
"""

import csv
import re
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from xg2g.network.hosts import ANY, host_of, is_host
from xg2g.network.origins import origin_of
from xg2g.receiver.address import ReceiverAddress
from xg2g_backends.base import RemuxOptions
from xg2g_backends.external.address import ServiceAddress

from .secret import Secret
from .setting import Parser
from .source import Value

_LONGEST_SHOWN: Final = 60
"""Characters of a value that an error line repeats."""
_LONGEST_NUMBER: Final = 100
"""Digits. Python refuses to parse 4301, and no setting needs ten."""

_LONGEST_NAME: Final = 64
"""Characters of a name that media servers show."""

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+(\.0+)?", re.ASCII)
_TRUE = frozenset(("true", "yes", "on", "1", "y", "t"))
_FALSE = frozenset(("false", "no", "off", "0", "n", "f"))


def text(check: Callable[[str], Any]) -> Parser:
    """Return a parser of one text; `check` returns the value or raises `ValueError`."""

    def parse(value: Value) -> Any:
        if not isinstance(value, str):
            raise ValueError("a list is not allowed here; write one value")
        return check(value)

    return Parser(parse)


def texts(check: Callable[[tuple[str, ...]], Any]) -> Parser:
    """Return a parser of a list, or of a text with commas; `check` returns the value or raises
    `ValueError`."""
    return Parser(lambda value: check(_separated(value)))


def whole_number(minimum: int, maximum: int) -> Parser:
    """Return a parser of integers between `minimum` and `maximum`."""

    def parse(value: str) -> int:
        number = _whole_number(value)
        _check_range(value, number, minimum, maximum)
        return number

    return text(parse)


def number(minimum: float, maximum: float, *, exclusive: bool = False) -> Parser:
    """Return a parser of numbers between `minimum` and `maximum`; `exclusive` excludes the
    minimum."""

    def parse(value: str) -> float:
        try:
            number = float(value) if value.isascii() else None
        except ValueError:
            number = None
        if number is None or not isfinite(number):
            raise ValueError(f"{_shown(value)} is not a number")
        if number <= minimum and exclusive:
            raise ValueError(f"{_shown(value)} is too small; it must be more than {minimum:g}")
        _check_range(value, number, minimum, maximum)
        return number

    return text(parse)


def one_of(*words: str) -> Parser:
    """Return a parser of one of several words, in upper or lower case."""

    def parse(value: str) -> str:
        word = value.strip().lower()
        if word not in words:
            *first, last = map(repr, words)
            known = f"{', '.join(first)} or {last}"
            raise ValueError(f"{_shown(word)} is not possible; use {known}")
        return word

    return text(parse)


def _shown(value: str) -> str:
    short = value if len(value) <= _LONGEST_SHOWN else f"{value[: _LONGEST_SHOWN - 1]}…"
    return f'"{short}"'


def _check_range(value: str, number: float, minimum: float, maximum: float) -> None:
    if number < minimum:
        raise ValueError(f"{_shown(value)} is too small; the minimum is {minimum:g}")
    if number > maximum:
        raise ValueError(f"{_shown(value)} is too big; the maximum is {maximum:g}")


def _whole_number(value: str) -> int:
    digits = value.strip()
    if not _WHOLE_NUMBER.fullmatch(digits):
        raise ValueError(f"{_shown(value)} is not a whole number")
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"{_shown(value)} is too long for a number")
    return int(digits.partition(".")[0])


def _switch(value: str) -> bool:
    word = value.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{_shown(value)} is neither true nor false")
    return word in _TRUE


def _bits_per_second(value: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})(k?)", value.strip().lower())
    if match is None:
        raise ValueError(f"{_shown(value)} is not a bit rate; write 192000 or 192k")
    return int(match[1]) * (1000 if match[2] else 1)


def _separated(value: Value) -> tuple[str, ...]:
    items = _items(value) if isinstance(value, str) else value
    return tuple(item.strip() for item in items if item.strip())


def _items(text: str) -> list[str]:
    """Split a text at commas and line breaks outside of quotation marks (RFC 4180).

    Quotation marks that do not enclose a whole item are part of the text.
    """
    # csv accepts blanks before a field, but not after its closing mark.
    lines = [re.sub(r'"\s+(?=,|$)', '"', line) for line in text.splitlines()]
    try:
        rows = list(csv.reader(lines, skipinitialspace=True, strict=True))
    except csv.Error:
        rows = [line.split(",") for line in text.splitlines()]
    return [item for row in rows for item in row]


def _tracks(value: Value) -> str | tuple[str, ...]:
    codes = _separated(value)
    if isinstance(value, str) and codes in (("all",), ("first",), ()):
        return value.strip()
    return codes


def _for_remuxer(option: str, parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a parser of an option that `RemuxOptions` validates."""

    def check(value: Any) -> Any:
        parsed = parse(value)
        RemuxOptions(**{option: parsed})
        return parsed

    return check


def _ports(texts: tuple[str, ...]) -> tuple[int, ...]:
    ports = tuple(map(_whole_number, texts))
    for port in ports:
        if not 1 <= port <= 65535:
            raise ValueError(f"{port} is not a port; ports are 1 to 65535")
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
    for url in urls:
        ServiceAddress.parse(url)
    return urls


def _listening_host(host: str) -> str:
    # An empty host would mean every address of this computer.
    if not is_host(host):
        raise ValueError(
            "write an address of this computer, such as 127.0.0.1, or 0.0.0.0 for all of them"
        )
    return host


def _host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name != ANY and (host_of(name) is None or ":" in name):
            raise ValueError(
                f"{name} is not a host name; write tv.example.org, or * for every name"
            )
    return names


def _web_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if origin != ANY and origin_of(origin) is None:
            raise ValueError(
                f"{origin} is not an origin; write https://dash.example.org without a path, or * "
                "for every page"
            )
    return origins


def _one_line(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        raise ValueError(f"{_shown(text)} is too long; the maximum is {_LONGEST_NAME} characters")
    if not text.isprintable() or not text.strip():
        raise ValueError("a name must be one line of text")
    return text.strip()


def _user(user: str) -> str:
    # RFC 7617, 2: everything after the first colon would be the password.
    if ":" in user or not user.isprintable():
        raise ValueError("a user name must not contain a colon or a line break")
    return user


def _one_word(text: str) -> Secret | None:
    # RFC 6750, 2.1: the token is sent in a header.
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("a token must be one word of ASCII letters, digits and signs")
    return Secret(text) if text else None


Seconds = Annotated[float, number(0, 600, exclusive=True)]
Switch = Annotated[bool, text(_switch)]
Port = Annotated[int, whole_number(1, 65535)]
PortOrAny = Annotated[int, whole_number(0, 65535)]
Ports = Annotated[tuple[int, ...], texts(_ports)]
"""`80,5004`"""
ListeningHost = Annotated[str, text(_listening_host)]
ReceiverUrl = Annotated[str, text(_receiver_url)]
"""Empty if not set, like the other URLs."""
PublicUrl = Annotated[str, text(_public_url)]
TranscoderUrls = Annotated[tuple[str, ...], texts(_transcoder_urls)]
"""`http://one:3000,http://two:3000`"""
Texts = Annotated[tuple[str, ...], texts(tuple)]
"""`one,two`, or `"one, and a comma",two`"""
HostNames = Annotated[tuple[str, ...], texts(_host_names)]
"""`tv.example.org,tv.example.net`, or `*`"""
WebOrigins = Annotated[tuple[str, ...], texts(_web_origins)]
"""`https://dash.example.org,http://192.168.1.5:8123`, or `*`"""
OneLine = Annotated[str, text(_one_line)]
Folder = Annotated[Path | None, text(Path)]
User = Annotated[str | None, text(_user)]
Password = Annotated[Secret | None, text(Secret)]
Token = Annotated[Secret | None, text(_one_word)]
"""None when empty."""
BitRate = Annotated[int, text(_for_remuxer("bitrate", _bits_per_second))]
"""`192000` or `192k`"""
AudioChannels = Annotated[int, text(_for_remuxer("channels", _whole_number))]
SampleRate = Annotated[int, text(_for_remuxer("sample_rate", _whole_number))]
Tracks = Annotated[
    Literal["all", "first"] | tuple[str, ...], Parser(_for_remuxer("tracks", _tracks))
]
"""`all`, `first`, or `deu,eng`"""
DualMono = Annotated[Literal["both", "left", "right"], one_of("both", "left", "right")]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"], one_of("debug", "info", "warning", "error")
]
LogFormat = Annotated[Literal["auto", "text", "json"], one_of("auto", "text", "json")]
