"""What the predecessor's variables and keys are today, where that is more than another name.

Plain renames stand with the settings themselves (`Names.older_variables`, `Names.older_keys`).
"""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

Conversion = Callable[[str], Mapping[str, str]]
"""From the older value to values by key. Raises `ValueError`."""


def _milliseconds(key: str) -> Conversion:
    def convert(text: str) -> Mapping[str, str]:
        if not text.strip().isdigit():
            raise ValueError(f'"{text}" is no number of milliseconds')
        return {key: f"{int(text) / 1000:g}"}

    return convert


def _duration(key: str) -> Conversion:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}

    def convert(text: str) -> Mapping[str, str]:
        parts = re.findall(r"([\d.]+)(ms|s|m|h)", text)
        if not parts or "".join(map("".join, parts)) != text.strip():
            raise ValueError(f'"{text}" is no duration such as 10s')
        return {key: f"{sum(float(number) * units[unit] for number, unit in parts):g}"}

    return convert


def _listen(text: str) -> Mapping[str, str]:
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        raise ValueError(f'"{text}" is no address such as :8080')
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

_ALWAYS_CONVERTED = "sound is always converted, without ffmpeg"
_OWN_STREAMS = "every stream passes through xg2g itself"
_OWN_MANNERS = "xg2g knows by itself how to treat a receiver"
_OWN_DEADLINES = "a stream has no deadline, and everything else one that suits it"
_ONE_PORT = "everything is served on one port"

GONE: Mapping[str, str] = {
    # Variables, without their prefix.
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
    "SMART_STREAM_DETECTION": _OWN_MANNERS,
    "OWI_*": _OWN_MANNERS,
    "E2_*": _OWN_MANNERS,
    "HTTP_*": _OWN_MANNERS,
    "INITIAL_REFRESH": "the channels are read at every start",
    "PLAYLIST_FILENAME": "the playlist is always /playlist.m3u",
    "METRICS_LISTEN": _ONE_PORT,
    "SERVER_*": _OWN_DEADLINES,
    "RATELIMIT_*": "who guesses tokens is slowed down, and nobody else",
    "VERSION": "xg2g --version names it",
    "FEATURE_API_V2": "it has no meaning any more",
    "FUZZY_MAX": "guide and channels belong together by their ids",
    "V3_*": "it has no meaning any more",
    "DECISION_SECRET": "it has no meaning any more",
    "EPG_*": _OWN_MANNERS,
    "XMLTV": "the guide is always /xmltv.xml",
    "X_TVG_URL": "the playlist names its guide by itself",
    "PICON_BASE": "the receiver's own logos are served",
    "TRUSTED_PROXIES": "XG2G_PUBLIC_URL says how players reach xg2g",
    "HDHR_*": "xg2g has an identity of its own as a tuner",
    # Keys of the file.
    "hdhr.*": "xg2g has an identity of its own as a tuner",
    "version": "the file needs none",
    "configVersion": "the file needs none",
    "openWebIF.*": _OWN_MANNERS,
    "enigma2.*": _OWN_MANNERS,
    "metrics.*": _ONE_PORT,
    "epg.fuzzyMax": "guide and channels belong together by their ids",
    "epg.xmltvPath": "the guide is always /xmltv.xml",
    "epg.*": _OWN_MANNERS,
    "picons.*": "the receiver's own logos are served",
}


_PAUSE_LIMIT = (
    "a viewer who vanished goes within seconds, and server.pause_limit_s says how long a paused "
    "one is kept"
)

WITHDRAWN: Mapping[str, str] = {
    "SEND_TIMEOUT_S": _PAUSE_LIMIT,
    "server.send_timeout_s": _PAUSE_LIMIT,
}
"""Settings that xg2g itself had in earlier versions."""


def why_gone(name: str) -> str | None:
    """Why a variable (without prefix) or key is needed no more; None for one that never was."""
    gone = (*GONE.items(), *WITHDRAWN.items())
    return next((why for pattern, why in gone if fnmatchcase(name, pattern)), None)
