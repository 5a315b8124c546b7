"""Models of the API's answers. Their docstrings are descriptions in the OpenAPI document."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from ...readiness import State


class Model(BaseModel):
    """Part of an answer. Times are UTC."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)


class TunerState(Model):
    """The receiver's tuners, as far as xg2g uses them."""

    in_use: int
    """Number of tuners that upstreams use. All viewers of a channel share one tuner, and so do all
    channels of a transponder."""
    limit: int | None
    """Number of tuners of the receiver; null until the receiver has told it."""
    lingering: int
    """Number of upstreams without viewers that stay open for a moment."""


class RefreshState(Model):
    """Refreshes of the lineup or of the guide since xg2g started."""

    name: str
    """`lineup`, or `guide` (which includes the logos)."""
    running: bool
    """True while a refresh is running."""
    succeeded: int
    """Number of successful runs."""
    failed: int
    """Number of failed runs."""
    succeeded_at: datetime | None
    """Time of the last successful run."""
    duration_s: float | None
    """Duration of the last run in seconds."""
    trouble: str | None
    """Why the last run failed; null if it succeeded."""


class Status(Model):
    """Service status."""

    version: str
    """Version of xg2g."""
    ready: bool
    """True if a new viewer would be served."""
    state: State
    """`ready`; `degraded`: viewers are served, but something is wrong; `not ready`."""
    reasons: list[str]
    """What is wrong, one line each, the worst first."""
    receiver: str
    """`ok`, or one line about what is wrong with the receiver."""
    channels: int
    """Number of channels in the lineup."""
    programmes: int
    """Number of programmes in the guide."""
    streams: int
    """Number of viewers whose stream is open or is being opened."""
    upstreams: int
    """Number of streams from the receiver that are open or are being opened. All viewers of a
    channel share one."""
    tuners: TunerState
    refreshes: list[RefreshState]


class Programme(Model):
    """Programme of the guide."""

    channel: str
    """Channel id."""
    begin: datetime
    end: datetime
    title: str
    subtitle: str
    description: str
    categories: list[str]
    """Categories in English, as in XMLTV."""
    episode: str | None
    """Season and episode, such as S02E03 or E03."""


class Channel(Model):
    """Channel of the lineup."""

    id: str
    number: int
    name: str
    radio: bool
    """True for radio."""
    bouquets: list[str]
    """Names of the bouquets that contain the channel."""
    service: str | None
    """Service reference; null for an IPTV entry."""
    stream_url: str
    """URL of the live stream, MPEG-TS."""
    hls_url: str | None
    """URL of the multivariant playlist of HTTP Live Streaming; null if `hls.enabled` is off or the
    channel's source is DASH."""
    hls_refusal: str | None
    """Why HTTP Live Streaming cannot play the channel (status 406), as found when it was last
    opened; null if it can, or if the channel has not been opened yet."""
    logo_url: str | None
    """URL of the logo, PNG."""


class Slot(Model):
    """Programme in short."""

    begin: datetime
    end: datetime
    title: str
    subtitle: str


class Shown(Model):
    """Current and next programme of a channel."""

    channel: str
    """Channel id."""
    now: Slot | None
    """Current programme."""
    next: Slot | None
    """Next programme, if it begins within a day."""


class ChannelNow(Channel):
    """Channel with its current and next programme."""

    now: Programme | None
    """Current programme."""
    next: Programme | None
    """Next programme, if it begins within a day."""


class Page(Model):
    """Part of a long list."""

    next: str | None
    """Cursor for the next part: repeat the query with it as `after`. Null at the end."""


class Channels(Page):
    """Channels by number, or in the order of the bouquet."""

    channels: list[Channel]


class Guide(Page):
    """Programmes by start time."""

    programmes: list[Programme]


class Now(Page):
    """Current and next programmes, by channel number or in the order of the bouquet."""

    channels: list[Shown]


class Access(Model):
    """Permissions of this client, with the token that it sent."""

    may_change: bool
    """True if the client may end streams and start a refresh."""
    has_token: bool
    """True if a token is set (`server.token`). Clients that send it may change things."""
    detail: str | None
    """Why the client may not change things, and how to fix that; null if it may."""


class Track(Model):
    """Audio track of a stream."""

    pid: int
    """PID in the receiver's stream."""
    output_pid: int
    """PID in the converted stream."""
    state: str
    """`waiting`, `converting`, `passing_aac`, `scrambled`, `unsupported` or `dropped`."""
    codec: str | None
    language: str | None
    frames_decoded: int
    frames_encoded: int
    decode_errors: int
    silence_ms: int
    """Milliseconds of silence that fill gaps."""
    scrambled_packets: int
    continuity_errors: int


class Remuxing(Model):
    """Counters of a stream's remuxer."""

    bytes_in: int
    bytes_out: int
    packets_in: int
    continuity_errors: int
    transport_errors: int
    resyncs: int
    bytes_skipped: int
    psi_errors: int
    tracks: list[Track]


class Upstream(Model):
    """Stream from the receiver, converted once for all its viewers."""

    id: str
    channel: str
    """Id of the channel that its viewers requested."""
    channel_name: str | None
    """Name of the channel; null for a service that is in no bouquet."""
    state: str
    """`opening`; `running`; `reconnecting`: the receiver's stream was lost and is being opened
    again; `lingering`: no viewer is left, and the stream stays open for a moment."""
    since: datetime
    viewers: int
    """Number of viewers, including those whose stream is being opened."""
    transponder: str | None
    """Namespace, transport stream id and original network id in hexadecimal. Upstreams of one
    transponder share a tuner. Null if the stream needs no tuner."""
    ring_bytes: int
    """Size of the latest output, which is kept for viewers that join or fall behind."""
    ring_s: float
    """Length of the kept output in seconds."""
    freezes: int
    """How often viewers got nothing although the receiver was sending."""
    reconnections: int
    """How often a lost stream came back."""
    remuxer: Remuxing | None
    """Null until the upstream has begun, and while its transcoder does not answer."""


class Stream(Model):
    """Viewer. All players of a channel by HTTP Live Streaming count as one viewer."""

    id: str
    channel: str
    """Channel id."""
    channel_name: str | None
    """Name of the channel; null for a service that is in no bouquet."""
    address: str | None
    """Address of the viewer, or of a proxy in between. For HTTP Live Streaming, that of the first
    player."""
    format: str
    """`mpegts`, or `hls` for HTTP Live Streaming."""
    players: int
    """Number of players. Players with the same address and user agent count as one."""
    since: datetime
    bytes_out: int
    """Bytes sent to the viewer."""
    upstream: str | None
    """Id of the upstream; null until the stream has begun."""
    behind_s: float | None
    """Seconds for which the next output has been waiting for the viewer, at most the upstream's
    `ring_s`; null until the stream has begun."""
    skips: int
    """How often the viewer fell behind the kept output and went on with the latest."""
    skipped_bytes: int
    """Bytes that the viewer missed by that."""


class Streams(Model):
    """Viewers, and the upstreams they watch."""

    streams: list[Stream]
    """Viewers, the earliest first."""
    upstreams: list[Upstream]
    """Upstreams, the earliest first, including those that are lingering."""


class Failure(Model):
    """Stream that did not open, or that broke."""

    at: datetime
    """Time of the last failure."""
    channel: str
    """What the client requested, usually a channel id."""
    channel_name: str | None
    """Name of the channel; null for a service that is in no bouquet."""
    viewer: str | None
    """Address of the viewer, or of a proxy in between."""
    status: int | None
    """HTTP status of the answer; null if the stream had already begun."""
    outcome: str
    """Reason as a code, as in the metric `xg2g_streams_total`."""
    reason: str
    """Reason for users, in one line: what is wrong, and how to fix it."""
    times: int
    """How often it happened."""


class Failures(Model):
    """The latest streams that failed, the newest first, at most 20."""

    failures: list[Failure]


class Accepted(Model):
    """Refresh that was started."""

    detail: str
