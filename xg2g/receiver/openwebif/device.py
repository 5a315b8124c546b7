"""The receiver as a device: model, tuners, streams and state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..service_reference import ServiceReference
from .answers import flag, text


@dataclass(frozen=True, slots=True)
class Tuner:
    """A tuner. `recording`, `live` and `streaming` hold the service that it is tuned to for this
    purpose, or are empty."""

    name: str
    type: str
    recording: str
    live: str
    """For the television set."""
    streaming: str
    """Empty with old web interfaces, which do not tell."""

    @property
    def idle(self) -> bool:
        """True if the receiver reports no use of the tuner."""
        return not (self.recording or self.live or self.streaming)


@dataclass(frozen=True, slots=True)
class ActiveStream:
    """A stream that the receiver sends."""

    reference: ServiceReference
    name: str
    client: str
    """Address of the viewer; with a relay in between, the receiver's own."""
    transcoded: bool


@dataclass(frozen=True, slots=True)
class About:
    """The receiver's description of itself."""

    brand: str
    model: str
    web_interface_version: str
    image: str = ""
    image_version: str = ""
    tuners: tuple[Tuner, ...] = ()
    streams: tuple[ActiveStream, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What the receiver is doing."""

    in_standby: bool
    is_recording: bool
    is_streaming: bool


def read_about(info: Mapping[str, Any]) -> About:
    """Parse the `info` of `/api/about` and `/api/deviceinfo`."""
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
    """Parse `/api/statusinfo`, whose booleans are texts."""
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
