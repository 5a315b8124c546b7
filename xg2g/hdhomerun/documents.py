"""The documents of a tuner in JSON, XML and M3U (SiliconDust's HTTP API, and UPnP for Plex)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from ..lineup import Channel
from ..lineup.sources import AUDIO_CODEC, is_high_definition, segmented_url, video_codec
from .identity import Identity

MODEL = "HDHR5-4DT"
"""A DVB model. Names with HDTC stand for video conversion, and Jellyfin would offer it."""

MANUFACTURER = "Silicondust"


@dataclass(frozen=True, slots=True)
class Device:
    """The tuner as a whole."""

    identity: Identity
    name: str
    tuners: int


def discover(device: Device, base_url: str) -> dict[str, object]:
    """Return the content of `/discover.json`."""
    return {
        "FriendlyName": device.name,
        "Manufacturer": MANUFACTURER,
        "ModelNumber": MODEL,
        "FirmwareName": "xg2g",
        "FirmwareVersion": version("xg2g"),
        "DeviceID": device.identity.device_id_text,
        "DeviceAuth": device.identity.auth,
        "BaseURL": base_url,
        "LineupURL": f"{base_url}/lineup.json",
        "TunerCount": device.tuners,
    }


def lineup(channels: Iterable[Channel], base_url: str) -> Iterator[str]:
    """Yield `/lineup.json` in pieces, with one row a channel."""
    separator = "["
    for channel in _tunable(channels):
        yield separator + _json(_row(channel, base_url))
        separator = ","
    yield "]" if separator == "," else "[]"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _row(channel: Channel, base_url: str) -> dict[str, object]:
    row: dict[str, object] = {"GuideNumber": str(channel.number), "GuideName": channel.name}
    if codec := video_codec(channel):
        row["VideoCodec"] = codec
    row["AudioCodec"] = AUDIO_CODEC
    if is_high_definition(channel):
        row["HD"] = 1
    row["URL"] = f"{base_url}{stream_path(channel)}"
    return row


def lineup_xml(channels: Iterable[Channel], base_url: str) -> Iterator[str]:
    """Yield `/lineup.xml` in pieces, with the same rows."""
    yield "<?xml version='1.0' encoding='utf-8'?>\n<Lineup>"
    for channel in _tunable(channels):
        program = ElementTree.Element("Program")
        for name, value in _row(channel, base_url).items():
            ElementTree.SubElement(program, name).text = str(value)
        yield ElementTree.tostring(program, encoding="unicode")
    yield "</Lineup>"


def lineup_m3u(channels: Iterable[Channel], base_url: str) -> Iterator[str]:
    """Yield `/lineup.m3u` in pieces, in the form of the device; `xg2g.clients.m3u` is the playlist
    for players."""
    yield "#EXTM3U\n"
    for channel in _tunable(channels):
        number = quoteattr(str(channel.number))
        title = f"{channel.number} {channel.name}"
        yield f"#EXTINF:-1 channel-id={number} channel-number={number},{title}\n"
        yield f"{base_url}{stream_path(channel)}\n"


def _tunable(channels: Iterable[Channel]) -> Iterator[Channel]:
    """Leave out channels that come in segments: clients of a tuner play transport streams only."""
    return (channel for channel in channels if segmented_url(channel) is None)


def stream_path(channel: Channel) -> str:
    """Return the path of the channel at a tuner."""
    return f"/auto/v{channel.number}"


LINEUP_STATUS: dict[str, object] = {
    "ScanInProgress": 0,
    "ScanPossible": 1,
    "Source": "Antenna",
    "SourceList": ["Antenna"],
}
"""Content of `/lineup_status.json`. Plex requests a scan before it reads a lineup. The bouquets are
always read, so a scan ends at once."""


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a tuner."""

    channel: Channel | None
    """None for a service outside the bouquets."""
    address: str | None
    """Address of the viewer."""


def status(tuners: int, in_use: Mapping[int, Use]) -> list[dict[str, object]]:
    """Return the content of `/status.json`: each tuner and its use. Only the receiver knows
    frequency and signal. Channels of one transponder share a tuner of the receiver, so that more
    tuners can be in use than there are."""
    return [_status(n, in_use.get(n)) for n in range(max(tuners, *(n + 1 for n in in_use), 0))]


def _status(number: int, use: Use | None) -> dict[str, object]:
    row: dict[str, object] = {"Resource": f"tuner{number}"}
    if use and use.channel:
        row |= {"VctNumber": str(use.channel.number), "VctName": use.channel.name}
    if use and use.address:
        row["TargetIP"] = use.address
    return row


def description(device: Device, base_url: str) -> bytes:
    """Return `/device.xml` (UPnP Device Architecture 2.0, 2.3)."""
    root = ElementTree.Element("root", xmlns="urn:schemas-upnp-org:device-1-0")
    spec_version = ElementTree.SubElement(root, "specVersion")
    for name, number in (("major", "1"), ("minor", "0")):
        ElementTree.SubElement(spec_version, name).text = number
    ElementTree.SubElement(root, "URLBase").text = base_url
    described = ElementTree.SubElement(root, "device")
    for name, value in (
        ("deviceType", "urn:schemas-upnp-org:device:MediaServer:1"),
        ("friendlyName", device.name),
        ("manufacturer", MANUFACTURER),
        ("modelName", MODEL),
        ("modelNumber", MODEL),
        ("serialNumber", device.identity.device_id_text),
        ("UDN", f"uuid:{device.identity.udn}"),
    ):
        ElementTree.SubElement(described, name).text = value
    return _written(root)


def _written(root: ElementTree.Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
