"""Every setting of the daemon. Add one here, and nowhere else."""

from dataclasses import dataclass, field
from typing import Annotated

from xg2g.errors import UsageError
from xg2g.receiver.address import Credentials, ReceiverAddress, StreamDeadlines
from xg2g_backends.base import RemuxOptions

from .setting import Example, Names, RestartNeeded
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
"""The predecessor's later port: 8080, its first, is taken on many machines."""


@dataclass(frozen=True, kw_only=True)
class ReceiverSettings:
    """Where the receiver is, and how long it may take."""

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
    """URL of the receiver's web interface, as http://192.168.1.10."""
    user: Annotated[
        User,
        Example("root"),
        Names(
            older_variables=("OWI_USER", "E2_USER"),
            older_keys=("openWebIF.username", "enigma2.username"),
        ),
    ] = None
    """User of the receiver's web interface and streams, if it asks; root on most."""
    password: Annotated[
        Password,
        Example("secret"),
        Names(
            older_variables=("OWI_PASS", "E2_PASS"),
            older_keys=("openWebIF.password", "enigma2.password"),
        ),
    ] = None
    """That user's password."""
    stream_port: Annotated[
        Port,
        Names(
            flag="--stream-port",
            metavar="PORT",
            variable="STREAM_PORT",
            older_keys=("openWebIF.streamPort", "enigma2.streamPort"),
        ),
    ] = 8001
    """Port of the receiver's stream server; 17999 sends everything through a softcam relay."""
    relay_port: Annotated[Port, Names(variable="RELAY_PORT")] = 17999
    """Port of the softcam's stream relay, for the services that the receiver has listed for it."""
    wait: Annotated[Switch, Names(flag="--wait", variable="WAIT"), RestartNeeded()] = False
    """Start even if the receiver does not answer yet, and keep asking."""
    connect_timeout_s: Annotated[Seconds, Names(variable="CONNECT_TIMEOUT_S")] = 5
    """Until the receiver accepts a connection."""
    answer_timeout_s: Annotated[Seconds, Names(variable="ANSWER_TIMEOUT_S")] = 30
    """Until the web interface has answered; a busy receiver takes many seconds for a big list."""
    first_byte_timeout_s: Annotated[Seconds, Names(variable="FIRST_BYTE_TIMEOUT_S")] = 15
    """Until the first byte of a stream; a receiver may search 5 to 20 s for a lock."""
    stall_timeout_s: Annotated[Seconds, Names(variable="STALL_TIMEOUT_S")] = 10
    """Between two bytes of a stream."""
    linger_s: Annotated[float, number(0, 60), Names(variable="LINGER_S")] = 5
    """How long a channel stays tuned after its last viewer: media servers open one, close it, and
    open it again to play."""


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where players find xg2g."""

    host: Annotated[
        ListeningHost,
        Names(flag="--host", metavar="ADDRESS", variable="HOST"),
        RestartNeeded(),
    ] = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets the whole network in, and whoever gets in can use the
    tuners."""
    port: Annotated[
        PortOrAny,
        Names(flag="--port", metavar="PORT", variable="PORT"),
        RestartNeeded(),
    ] = DEFAULT_PORT
    """Port to listen on; 0 takes a free one."""
    public_url: Annotated[
        PublicUrl,
        Names(flag="--public-url", metavar="URL", variable="PUBLIC_URL"),
        RestartNeeded(),
    ] = ""
    """How players reach xg2g, if not by the address that they ask: behind a reverse proxy. It
    stands in playlist and guide."""
    host_names: Annotated[
        HostNames,
        Example("tv.example.org"),
        RestartNeeded(),
    ] = ()
    """Further names by which xg2g may be asked. Addresses, names without a dot and those of home
    networks (.local, .lan, .home.arpa, fritz.box) need no entry, nor does that of public_url;
    * allows every name, and with it foreign web pages that make their own name lead to xg2g."""
    web_origins: Annotated[
        WebOrigins,
        Example("https://dash.example.org"),
        RestartNeeded(),
    ] = ()
    """Web pages of other servers that may read the API, as https://dash.example.org; * allows every
    page. Playlists, guide, logos and streams can be read by pages of the home network and by Cast
    receivers without an entry."""
    pause_limit_s: Annotated[
        float, number(0, 86_400, or_more=False), Names(variable="PAUSE_LIMIT_S"), RestartNeeded()
    ] = 1800
    """How long a paused player is kept. A viewer who vanished from the network goes within
    seconds."""
    token: Annotated[
        Token,
        Example("token"),
        Names(variable="TOKEN", older_variables=("API_TOKEN",), older_keys=("api.token",)),
    ] = None
    """What whoever ends a stream or starts a refresh through the API has to show. Without one,
    this computer alone may."""
    token_for_reading: Annotated[Switch, Names(variable="TOKEN_FOR_READING")] = False
    """Ask for the token also where the API and the metrics only tell: who watches what. What
    players use stays open, since none of them can show a token."""


@dataclass(frozen=True, kw_only=True)
class LineupSettings:
    """Which channels there are."""

    bouquets: Annotated[
        Texts,
        Names(
            flag="--bouquets",
            metavar="NAMES",
            variable="BOUQUETS",
            older_variables=("BOUQUET",),
            older_keys=("bouquets",),
        ),
        RestartNeeded(),
    ] = ()
    """Bouquets to serve, with commas between them; none for all. Upper and lower case are the
    same, and a final (TV) or (Radio) can be left out. A name with a comma in it
    stands in quotation marks: "Film, Serien",Sport."""
    refresh_hours: Annotated[
        float, number(0.1, 168), Names(variable="REFRESH_HOURS"), RestartNeeded()
    ] = 6
    """Between two readings of the receiver's bouquets and guide, a tenth more or less."""


@dataclass(frozen=True, kw_only=True)
class GuideSettings:
    """The programme guide."""

    enabled: Annotated[
        Switch,
        Names(
            variable="GUIDE",
            older_variables=("EPG_ENABLED",),
            older_keys=("epg.enabled",),
        ),
        RestartNeeded(),
    ] = True
    """Read the receiver's guide and give it out."""
    days: Annotated[
        int,
        whole_number(1, 28),
        Names(older_variables=("EPG_DAYS",), older_keys=("epg.days",)),
        RestartNeeded(),
    ] = 7
    """Days to come that are read. Receivers seldom know more than 7, some 14."""
    past_hours: Annotated[float, number(0, 168), RestartNeeded()] = 6
    """How long what has ended stays in the guide."""


@dataclass(frozen=True, kw_only=True)
class HlsSettings:
    """HTTP Live Streaming: for browsers, phones and televisions."""

    enabled: Annotated[Switch, RestartNeeded()] = True
    """Give channels out by HLS."""
    window_s: Annotated[float, number(0, 86_400), RestartNeeded()] = 300
    """How far back a player can go, in seconds; 0 for no more than live playback needs. It is less
    where memory_bytes or disk_bytes are used up."""
    memory_bytes: Annotated[int, whole_number(16 * 1024**2, 1024**4), RestartNeeded()] = 1024**3
    """Memory for the windows of all channels together, if dir is not set."""
    dir: Annotated[Folder, RestartNeeded()] = None
    """Folder for the windows, for hours of rewinding: files are removed when the channel is left,
    and what a crash left behind at the next start. If not set: memory."""
    disk_bytes: Annotated[int, whole_number(64 * 1024**2, 1024**5), RestartNeeded()] = 20 * 1024**3
    """Room for the windows of all channels together in dir. A full disk shortens them as well; the
    channel plays on."""


@dataclass(frozen=True, kw_only=True)
class HdhomerunSettings:
    """What xg2g is as a network tuner, which media servers find by themselves."""

    discovery: Annotated[
        Switch,
        Names(variable="HDHR_ENABLED", older_keys=("hdhr.enabled",)),
        RestartNeeded(),
    ] = True
    """Whether it is found in the network (UDP 65001, SSDP). Without, it is added by its address."""
    name: Annotated[
        OneLine,
        Password,
        Names(variable="HDHR_FRIENDLY_NAME", older_keys=("hdhr.friendlyName",)),
        RestartNeeded(),
    ] = "xg2g"
    """What media servers call it."""
    tuners: Annotated[
        int,
        whole_number(0, 32),
        Names(variable="HDHR_TUNER_COUNT", older_keys=("hdhr.tunerCount",)),
        RestartNeeded(),
    ] = 0
    """How many streams of different transponders there can be; 0 for what the receiver says."""
    bouquets: Annotated[Texts, Example("Favourites"), RestartNeeded()] = ()
    """Bouquets whose channels it lists as a network tuner, written as lineup.bouquets; none for
    all. Plex takes no tuner with
    more than 480 channels. Playlist and guide keep every channel."""
    ports: Annotated[
        Ports,
        Example("80,5004"),
        RestartNeeded(),
    ] = ()
    """Ports to listen on as well, as a tuner does: 80 is where Jellyfin looks, 5004 where others
    do. Those below 1024 need a right that services seldom have."""


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """What outlives a restart."""

    dir: Annotated[
        Folder,
        Names(
            flag="--data-dir",
            metavar="DIRECTORY",
            older_variables=("DATA",),
            older_keys=("dataDir",),
        ),
        RestartNeeded(),
    ] = None
    """Where channels with their numbers, guide and picons are kept. If not set: the StateDirectory
    of a systemd service, else xg2g in $XDG_DATA_HOME or ~/.local/share."""


@dataclass(frozen=True, kw_only=True)
class AudioSettings:
    """What becomes of the sound."""

    bitrate: Annotated[BitRate, Names(flag="--bitrate", metavar="BIT/S")] = 192_000
    """AAC bit rate of a track, in bit/s or as 192k."""
    channels: Annotated[AudioChannels, Names(flag="--channels", metavar="COUNT")] = 2
    """Audio channels: 1, 2 or 6; 0 as the source has."""
    sample_rate: Annotated[SampleRate, Names(flag="--sample-rate", metavar="HZ")] = 0
    """Sample rate in Hz; 0 as the source has."""
    tracks: Annotated[Tracks, Names(flag="--tracks", metavar="LANGUAGES")] = "all"
    """Every audio track, the first, or the one that fits the earliest of these ISO 639 codes:
    deu,eng. ger, deu and de are one language."""
    dual_mono: Annotated[DualMono, Names(flag="--dual-mono", metavar="both|left|right")] = "both"
    """What is heard of a track with a language in either channel; one that is named in tracks
    comes first. Mono holds the left one of both."""
    keep_original: Annotated[Switch, Names(flag="--keep-original")] = False
    """Send the tracks as broadcast, too."""


@dataclass(frozen=True, kw_only=True)
class ExternalSettings:
    """Conversion in other processes, on this computer or another."""

    transcoder: Annotated[
        TranscoderUrls,
        Example("http://192.168.1.20:3000"),
        Names(flag="--external-transcoder", metavar="URL"),
        RestartNeeded(),
    ] = ()
    """URL of a transcoder service that converts instead of this process, as
    http://192.168.1.20:3000 or unix:///run/xg2g/transcoder.sock; several share the streams."""
    transcoder_token: Annotated[Token, Example("token"), RestartNeeded()] = None
    """The token that the transcoder services ask for."""
    fallback: Annotated[Switch, Names(flag="--external-fallback"), RestartNeeded()] = False
    """Convert in this process while no transcoder service can."""


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """What xg2g says while it runs, on standard error."""

    level: Annotated[
        LogLevel,
        Names(flag="--log-level", metavar="debug|info|warning|error", older_keys=("logLevel",)),
    ] = "info"
    """The least serious lines that are written."""
    format: Annotated[LogFormat, Names(flag="--log-format", metavar="auto|text|json")] = "auto"
    """Text for people, JSON lines for programs; auto is text on a terminal and JSON elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, checked; `xg2g.config.load` makes one."""

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

    def receiver_address(self) -> ReceiverAddress:
        """Where the receiver is. Raises `UsageError` when nothing says so."""
        receiver = self.receiver
        if not receiver.url:
            raise UsageError(
                "no receiver is set; xg2g setup finds it, --receiver http://192.168.1.10 names it, "
                "and xg2g demo needs none"
            )
        credentials = None
        if receiver.user is not None:
            secret = receiver.password
            credentials = Credentials(receiver.user, secret.value if secret else "")
        return ReceiverAddress.parse(
            receiver.url,
            stream_port=receiver.stream_port,
            relay_port=receiver.relay_port,
            credentials=credentials,
        )

    def remux_options(self) -> RemuxOptions:
        """What is asked of the remuxer, before a channel adds its program."""
        audio = self.audio
        return RemuxOptions(
            bitrate=audio.bitrate,
            channels=audio.channels,
            sample_rate=audio.sample_rate,
            tracks=audio.tracks,
            dual_mono=audio.dual_mono,
            keep_original=audio.keep_original,
        )

    def stream_deadlines(self) -> StreamDeadlines:
        """How long the receiver's stream server may take."""
        receiver = self.receiver
        return StreamDeadlines(
            connect_s=receiver.connect_timeout_s,
            first_byte_s=receiver.first_byte_timeout_s,
            stall_s=receiver.stall_timeout_s,
        )
