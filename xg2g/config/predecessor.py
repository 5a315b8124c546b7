"""The predecessor's variables and keys that are converted or ignored.

Plain renames are declared with the settings (`Names.older_variables`, `Names.older_keys`).
"""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

Conversion = Callable[[str], Mapping[str, str]]
"""Returns today's values, by key, for an older value. Raises `ValueError`."""


def _milliseconds(key: str) -> Conversion:
    def convert(text: str) -> Mapping[str, str]:
        if not text.strip().isdigit():
            raise ValueError(f'"{text}" is not a number of milliseconds')
        return {key: f"{int(text) / 1000:g}"}

    return convert


def _duration(key: str) -> Conversion:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}

    def convert(text: str) -> Mapping[str, str]:
        parts = re.findall(r"([\d.]+)(ms|s|m|h)", text)
        if not parts or "".join(map("".join, parts)) != text.strip():
            raise ValueError(f'"{text}" is not a duration; write it as 10s')
        return {key: f"{sum(float(number) * units[unit] for number, unit in parts):g}"}

    return convert


def _listen(text: str) -> Mapping[str, str]:
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        raise ValueError(f'"{text}" is not an address; write it as :8080')
    return {"server.host": host.strip("[]") or "0.0.0.0", "server.port": port}


CONVERTED_VARIABLES: Mapping[str, Conversion] = {
    "XG2G_LISTEN": _listen,
    "XG2G_OWI_TIMEOUT_MS": _milliseconds("receiver.answer_timeout_s"),
}

CONVERTED_KEYS: Mapping[str, Conversion] = {
    "api.listenAddr": _listen,
    "openWebIF.timeout": _duration("receiver.answer_timeout_s"),
    "enigma2.timeout": _duration("receiver.answer_timeout_s"),
}

_ALWAYS_CONVERTED = "audio is always converted, without ffmpeg"
_OWN_STREAMS = "xg2g serves every stream itself"
_BUILT_IN_POLICY = "xg2g adapts its requests to the receiver by itself"
_OWN_DEADLINES = "streams have no deadline, and other requests have a fixed one"
_ONE_PORT = "xg2g serves everything on one port"

GONE: Mapping[str, str] = {
    # Variables, without the prefix.
    "ENABLE_AUDIO_TRANSCODING": _ALWAYS_CONVERTED,
    "AUDIO_CODEC": _ALWAYS_CONVERTED,
    "FFMPEG_PATH": _ALWAYS_CONVERTED,
    "GPU_TRANSCODE": _ALWAYS_CONVERTED,
    "TRANSCODER_URL": _ALWAYS_CONVERTED,
    "ENABLE_STREAM_PROXY": _OWN_STREAMS,
    "PROXY_*": _OWN_STREAMS,
    "STREAM_BASE": _OWN_STREAMS,
    "USE_PROXY_URLS": _OWN_STREAMS,
    "USE_WEBIF_STREAMS": _OWN_STREAMS,
    "PLEX_FORCE_HLS": _OWN_STREAMS,
    "SMART_STREAM_DETECTION": _BUILT_IN_POLICY,
    "OWI_*": _BUILT_IN_POLICY,
    "E2_*": _BUILT_IN_POLICY,
    "HTTP_*": _BUILT_IN_POLICY,
    "INITIAL_REFRESH": "the channels are read at every start",
    "PLAYLIST_FILENAME": "the playlist is always /playlist.m3u",
    "METRICS_LISTEN": _ONE_PORT,
    "SERVER_*": _OWN_DEADLINES,
    "RATELIMIT_*": "only clients that send wrong tokens are slowed down",
    "VERSION": "xg2g --version prints it",
    "FEATURE_API_V2": "it no longer has a meaning",
    "FUZZY_MAX": "guide and channels are matched by their ids",
    "V3_*": "it no longer has a meaning",
    "DECISION_SECRET": "it no longer has a meaning",
    "EPG_*": _BUILT_IN_POLICY,
    "XMLTV": "the guide is always /xmltv.xml",
    "X_TVG_URL": "the playlist always contains the guide's URL",
    "PICON_BASE": "xg2g serves the receiver's own logos",
    "TRUSTED_PROXIES": "set XG2G_PUBLIC_URL to the address by which players reach xg2g",
    "HDHR_*": "xg2g creates its own tuner identity",
    # Keys of the file.
    "hdhr.*": "xg2g creates its own tuner identity",
    "version": "the file has no version",
    "configVersion": "the file has no version",
    "openWebIF.*": _BUILT_IN_POLICY,
    "enigma2.*": _BUILT_IN_POLICY,
    "metrics.*": _ONE_PORT,
    "epg.fuzzyMax": "guide and channels are matched by their ids",
    "epg.xmltvPath": "the guide is always /xmltv.xml",
    "epg.*": _BUILT_IN_POLICY,
    "picons.*": "xg2g serves the receiver's own logos",
}


_PAUSE_LIMIT = (
    "vanished viewers are disconnected within seconds; server.pause_limit_s limits how long a "
    "player may pause"
)

WITHDRAWN: Mapping[str, str] = {
    "SEND_TIMEOUT_S": _PAUSE_LIMIT,
    "server.send_timeout_s": _PAUSE_LIMIT,
}
"""Settings of earlier versions of xg2g."""


def why_gone(name: str) -> str | None:
    """Return why a variable (without prefix) or key is ignored; None if it never existed."""
    gone = (*GONE.items(), *WITHDRAWN.items())
    return next((why for pattern, why in gone if fnmatchcase(name, pattern)), None)
