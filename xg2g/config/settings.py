"""Every setting of the daemon.

The docstring below a setting is its text in `--help`, the example file and the reference page.
"""

from dataclasses import asdict, dataclass, field
from typing import Annotated

from xg2g.errors import UsageError
from xg2g.receiver.address import Credentials, ReceiverAddress, StreamDeadlines
from xg2g_backends.base import RemuxOptions

from .setting import Example, Names
from .values import (
    AudioChannels,
    BitRate,
    DualMono,
    Folder,
    HostNames,
    ListeningHost,
    LogFormat,
    LogLevel,
    OneLine,
    Password,
    Port,
    PortOrAny,
    Ports,
    PublicUrl,
    ReceiverUrl,
    SampleRate,
    Seconds,
    Switch,
    Texts,
    Token,
    Tracks,
    TranscoderUrls,
    User,
    WebOrigins,
    number,
    whole_number,
)

DEFAULT_PORT = 8088
"""The predecessor's later port. Its first, 8080, is taken on many machines."""


@dataclass(frozen=True, kw_only=True)
class ReceiverSettings:
    """Address and timeouts of the receiver."""

    url: Annotated[
        ReceiverUrl,
        Example("http://192.168.1.10"),
        Names(
            flag="--receiver",
            metavar="URL",
            variable="RECEIVER",
            older_variables=("OWI_BASE", "E2_HOST"),
            older_keys=("openWebIF.baseUrl", "enigma2.baseUrl"),
        ),
    ] = field(default="", repr=False)
    """URL of the receiver's web interface, such as http://192.168.1.10."""
    user: Annotated[
        User,
        Example("root"),
        Names(
            older_variables=("OWI_USER", "E2_USER"),
            older_keys=("openWebIF.username", "enigma2.username"),
        ),
    ] = None
    """User name for the receiver's web interface and streams, if it requires one; root on most
    receivers."""
    password: Annotated[
        Password,
        Example("secret"),
        Names(
            older_variables=("OWI_PASS", "E2_PASS"),
            older_keys=("openWebIF.password", "enigma2.password"),
        ),
    ] = None
    """Password of receiver.user."""
    stream_port: Annotated[
        Port,
        Names(
            flag="--stream-port",
            metavar="PORT",
            variable="STREAM_PORT",
            older_keys=("openWebIF.streamPort", "enigma2.streamPort"),
        ),
    ] = 8001
    """Port of the receiver's stream server; 17999 opens every stream through the softcam relay."""
    relay_port: Annotated[Port, Names(variable="RELAY_PORT")] = 17999
    """Port of the softcam's stream relay, which is used for the services on the receiver's relay
    list."""
    wait: Annotated[Switch, Names(flag="--wait", variable="WAIT")] = False
    """Start even if the receiver does not answer yet, and retry until it does."""
    connect_timeout_s: Annotated[Seconds, Names(variable="CONNECT_TIMEOUT_S")] = 5
    """Timeout for a connection to the receiver, in seconds."""
    answer_timeout_s: Annotated[Seconds, Names(variable="ANSWER_TIMEOUT_S")] = 30
    """Timeout for an answer of the web interface, in seconds; a busy receiver takes many seconds
    for a long list."""
    first_byte_timeout_s: Annotated[Seconds, Names(variable="FIRST_BYTE_TIMEOUT_S")] = 15
    """Timeout for the first byte of a stream, in seconds; a receiver may need 5 to 20 s to lock on
    a signal."""
    stall_timeout_s: Annotated[Seconds, Names(variable="STALL_TIMEOUT_S")] = 10
    """Maximum time without data from the receiver, in seconds, before a stream is opened again."""
    linger_s: Annotated[float, number(0, 60), Names(variable="LINGER_S")] = 5
    """How long a channel stays tuned after its last viewer, in seconds: media servers open a
    channel, close it, and open it again to play."""

    def address(self) -> ReceiverAddress:
        """Return the receiver's address. Raises `UsageError` if `url` is not set."""
        if not self.url:
            raise UsageError(
                "no receiver is set; run xg2g setup to find it, pass --receiver "
                "http://192.168.1.10, or try xg2g demo, which needs none"
            )
        credentials = None
        if self.user is not None:
            credentials = Credentials(self.user, self.password.value if self.password else "")
        return ReceiverAddress.parse(
            self.url,
            stream_port=self.stream_port,
            relay_port=self.relay_port,
            credentials=credentials,
        )

    def deadlines(self) -> StreamDeadlines:
        """Return the timeouts of the receiver's stream server."""
        return StreamDeadlines(
            connect_s=self.connect_timeout_s,
            first_byte_s=self.first_byte_timeout_s,
            stall_s=self.stall_timeout_s,
        )


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Addresses and access."""

    host: Annotated[ListeningHost, Names(flag="--host", metavar="ADDRESS", variable="HOST")] = (
        "127.0.0.1"
    )
    """Address to listen on. 0.0.0.0 accepts connections from the whole network, and every client
    can then use the tuners."""
    port: Annotated[PortOrAny, Names(flag="--port", metavar="PORT", variable="PORT")] = DEFAULT_PORT
    """Port to listen on; 0 chooses a free port."""
    public_url: Annotated[
        PublicUrl, Names(flag="--public-url", metavar="URL", variable="PUBLIC_URL")
    ] = ""
    """URL of xg2g for playlists and guide, if players reach it through a reverse proxy. If not set:
    the address that the player requested."""
    host_names: Annotated[HostNames, Example("tv.example.org")] = ()
    """Additional host names that clients may use. IP addresses, names without a dot, names of home
    networks (.local, .lan, .home.arpa, fritz.box) and the host of public_url are always allowed. *
    allows every name, which also allows DNS rebinding attacks by foreign web pages."""
    web_origins: Annotated[WebOrigins, Example("https://dash.example.org")] = ()
    """Origins of web pages that may read the API, such as https://dash.example.org; * allows every
    page. Pages of the home network and Cast receivers may always read playlists, guide, logos and
    streams."""
    pause_limit_s: Annotated[
        float, number(0, 86_400, exclusive=True), Names(variable="PAUSE_LIMIT_S")
    ] = 1800
    """How long a player may pause before it is disconnected, in seconds. Viewers that vanish from
    the network are disconnected within seconds."""
    token: Annotated[
        Token,
        Example("token"),
        Names(variable="TOKEN", older_variables=("API_TOKEN",), older_keys=("api.token",)),
    ] = None
    """Bearer token required to end streams or start a refresh. If not set: only programs on this
    computer may."""
    token_for_reading: Annotated[Switch, Names(variable="TOKEN_FOR_READING")] = False
    """Also require the token for read-only API calls, metrics and the status on the front page,
    which show who watches what. Playlists, guide and streams never require it, since players cannot
    send a token."""


@dataclass(frozen=True, kw_only=True)
class LineupSettings:
    """Selection of channels."""

    bouquets: Annotated[
        Texts,
        Names(
            flag="--bouquets",
            metavar="NAMES",
            variable="BOUQUETS",
            older_variables=("BOUQUET",),
            older_keys=("bouquets",),
        ),
    ] = ()
    """Bouquets to serve, separated by commas. If not set: all. Upper and lower case do not matter,
    and a final (TV) or (Radio) may be omitted. Quote a name that contains a comma: "Film,
    Serien",Sport."""
    refresh_hours: Annotated[float, number(0.1, 168), Names(variable="REFRESH_HOURS")] = 6
    """Interval between refreshes of bouquets and guide, in hours; it varies by a tenth."""


@dataclass(frozen=True, kw_only=True)
class GuideSettings:
    """The programme guide."""

    enabled: Annotated[
        Switch,
        Names(variable="GUIDE", older_variables=("EPG_ENABLED",), older_keys=("epg.enabled",)),
    ] = True
    """Read the receiver's guide and serve it."""
    days: Annotated[
        int, whole_number(1, 28), Names(older_variables=("EPG_DAYS",), older_keys=("epg.days",))
    ] = 7
    """Days of the guide to read. Most receivers know 7 days, some 14."""
    past_hours: Annotated[float, number(0, 168)] = 6
    """How long past programmes stay in the guide, in hours."""


@dataclass(frozen=True, kw_only=True)
class HlsSettings:
    """HTTP Live Streaming: for browsers, phones and televisions."""

    enabled: Switch = True
    """Serve channels by HLS."""
    window_s: Annotated[float, number(0, 86_400)] = 300
    """How far back a player can seek, in seconds; 0 keeps only what live playback needs. The window
    is shorter when memory_bytes or disk_bytes are exhausted."""
    memory_bytes: Annotated[int, whole_number(16 * 1024**2, 1024**4)] = 1024**3
    """Maximum memory for the windows of all channels, in bytes, if dir is not set."""
    dir: Folder = None
    """Folder for the windows, to allow hours of rewinding. Files are deleted when the channel is
    closed; files left by a crash are deleted at the next start. If not set: memory."""
    disk_bytes: Annotated[int, whole_number(64 * 1024**2, 1024**5)] = 20 * 1024**3
    """Maximum disk space for the windows of all channels in dir, in bytes. A full disk also
    shortens the windows; playback continues."""


@dataclass(frozen=True, kw_only=True)
class HdhomerunSettings:
    """The network tuner that media servers find by themselves (HDHomeRun)."""

    discovery: Annotated[Switch, Names(variable="HDHR_ENABLED", older_keys=("hdhr.enabled",))] = (
        True
    )
    """Answer discovery requests of media servers (UDP 65001, SSDP). If off, add the tuner by its
    address."""
    name: Annotated[
        OneLine, Names(variable="HDHR_FRIENDLY_NAME", older_keys=("hdhr.friendlyName",))
    ] = "xg2g"
    """Name of the tuner in media servers."""
    tuners: Annotated[
        int,
        whole_number(0, 32),
        Names(variable="HDHR_TUNER_COUNT", older_keys=("hdhr.tunerCount",)),
    ] = 0
    """Number of tuners: how many transponders can be streamed at once; 0 asks the receiver."""
    bouquets: Annotated[Texts, Example("Favourites")] = ()
    """Bouquets with the tuner's channels, written as in lineup.bouquets. If not set: all. Plex
    rejects tuners with more than 480 channels. Playlist and guide always contain every channel."""
    ports: Annotated[Ports, Example("80,5004")] = ()
    """Additional ports to listen on, as a tuner does: Jellyfin connects to 80, other clients to
    5004. Ports below 1024 need a permission that services rarely have."""


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Data kept across restarts."""

    dir: Annotated[
        Folder,
        Names(
            flag="--data-dir",
            metavar="DIRECTORY",
            older_variables=("DATA",),
            older_keys=("dataDir",),
        ),
    ] = None
    """Folder for channel numbers, guide and picons. If not set: the StateDirectory of a systemd
    service, else xg2g in $XDG_DATA_HOME or ~/.local/share."""


@dataclass(frozen=True, kw_only=True)
class AudioSettings:
    """Audio conversion."""

    bitrate: Annotated[BitRate, Names(flag="--bitrate", metavar="BIT/S")] = 192_000
    """AAC bit rate of each track, in bit/s or as 192k."""
    channels: Annotated[AudioChannels, Names(flag="--channels", metavar="COUNT")] = 2
    """Number of audio channels: 1, 2 or 6; 0 keeps the source's number."""
    sample_rate: Annotated[SampleRate, Names(flag="--sample-rate", metavar="HZ")] = 0
    """Sample rate in Hz; 0 keeps the source's rate."""
    tracks: Annotated[Tracks, Names(flag="--tracks", metavar="LANGUAGES")] = "all"
    """Audio tracks to send: all, first, or languages as ISO 639 codes in order of preference, such
    as deu,eng, of which the first available one is sent. ger, deu and de are one language."""
    dual_mono: Annotated[DualMono, Names(flag="--dual-mono", metavar="both|left|right")] = "both"
    """Channel to use of a track with one language per channel. A language named in tracks takes
    precedence. With both, mono output contains the left channel."""
    keep_original: Annotated[Switch, Names(flag="--keep-original")] = False
    """Also send the original tracks."""

    def remux_options(self) -> RemuxOptions:
        """Return the remuxer's options, without the program of a channel."""
        return RemuxOptions(**asdict(self))


@dataclass(frozen=True, kw_only=True)
class ExternalSettings:
    """Transcoder services: conversion in other processes, on this computer or another."""

    transcoder: Annotated[
        TranscoderUrls,
        Example("http://192.168.1.20:3000"),
        Names(flag="--external-transcoder", metavar="URL"),
    ] = ()
    """URL of a transcoder service that converts instead of this process, such as
    http://192.168.1.20:3000 or unix:///run/xg2g/transcoder.sock. Several services share the
    streams."""
    transcoder_token: Annotated[Token, Example("token")] = None
    """Token that the transcoder services require."""
    fallback: Annotated[Switch, Names(flag="--external-fallback")] = False
    """Convert in this process while no transcoder service is available."""


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """Log on standard error."""

    level: Annotated[
        LogLevel,
        Names(flag="--log-level", metavar="debug|info|warning|error", older_keys=("logLevel",)),
    ] = "info"
    """Minimum log level."""
    format: Annotated[LogFormat, Names(flag="--log-format", metavar="auto|text|json")] = "auto"
    """Log format: text for people, json for programs; auto writes text on a terminal and JSON
    elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, validated. `xg2g.config.load` returns one."""

    receiver: ReceiverSettings = ReceiverSettings()
    server: ServerSettings = ServerSettings()
    lineup: LineupSettings = LineupSettings()
    guide: GuideSettings = GuideSettings()
    hls: HlsSettings = HlsSettings()
    hdhomerun: HdhomerunSettings = HdhomerunSettings()
    data: DataSettings = DataSettings()
    audio: AudioSettings = AudioSettings()
    external: ExternalSettings = ExternalSettings()
    log: LogSettings = LogSettings()
