"""The receiver itself: what it is, and what it does now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..service_reference import ServiceReference
from .answers import flag, text


@dataclass(frozen=True, slots=True)
class Tuner:
    """A tuner; the three say which service it is tuned to, and are empty when it is not."""

    name: str
    type: str
    recording: str
    live: str
    """For the television itself."""
    streaming: str
    """Old web interfaces do not tell: empty."""

    @property
    def idle(self) -> bool:
        """Nothing is tuned, as far as the receiver says."""
        return not (self.recording or self.live or self.streaming)


@dataclass(frozen=True, slots=True)
class ActiveStream:
    """A stream that the receiver sends to somebody."""

    reference: ServiceReference
    name: str
    client: str
    """Address of who watches; that of the receiver itself if a relay stands in between."""
    transcoded: bool


@dataclass(frozen=True, slots=True)
class About:
    """What the receiver says it is."""

    brand: str
    model: str
    web_interface_version: str
    image: str = ""
    image_version: str = ""
    tuners: tuple[Tuner, ...] = ()
    streams: tuple[ActiveStream, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What the receiver does."""

    in_standby: bool
    is_recording: bool
    is_streaming: bool


def read_about(info: Mapping[str, Any]) -> About:
    """The `info` of `/api/about` and `/api/deviceinfo`."""
    return About(
        brand=text(info.get("brand")),
        model=text(info.get("model")) or text(info.get("boxtype")),
        web_interface_version=text(info.get("webifver")),
        image=text(info.get("imagedistro")),
        image_version=text(info.get("imagever")),
        tuners=tuple(_tuners(info.get("tuners"))),
        streams=tuple(_streams(info.get("streams"))),
    )


def read_status(info: Mapping[str, Any]) -> Status:
    """`/api/statusinfo`, whose booleans are texts."""
    return Status(
        in_standby=flag(info.get("inStandby")),
        is_recording=flag(info.get("isRecording")),
        is_streaming=flag(info.get("isStreaming")),
    )


def _tuners(entries: object) -> Iterator[Tuner]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            fields = ("name", "type", "rec", "live", "stream")
            yield Tuner(*(text(entry.get(field)) for field in fields))


def _streams(entries: object) -> Iterator[ActiveStream]:
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case {"ref": str(reference), **rest}:
                try:
                    parsed = ServiceReference.parse(reference)
                except ValueError:
                    continue
                name, client = text(rest.get("name")), text(rest.get("ip"))
                yield ActiveStream(parsed, name, client, rest.get("type") == "T")
