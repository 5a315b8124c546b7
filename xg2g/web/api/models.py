"""What the API answers, and what it is asked."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ...readiness import State

MAX_IDS = 200
"""Channels in a query."""
MAX_IDS_LENGTH = 12_000
"""What a request's head may hold of them."""


class Answer(BaseModel):
    """A part of an answer. Times are UTC."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)


class Query(BaseModel):
    """The query of a request."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True, extra="forbid")


class TunerState(Answer):
    """The receiver's tuners, as far as xg2g uses them."""

    in_use: int
    """Tuners that upstreams need. All viewers of a channel use one, as do channels of one
    transponder."""
    limit: int | None
    """How many there are; null while the receiver has not said it."""
    lingering: int
    """Upstreams that nobody watches any more, and that stay open for a moment."""


class RefreshState(Answer):
    """What became of reading the lineup, or the guide, since xg2g started."""

    name: str
    """`lineup`, or `guide` with the logos."""
    running: bool
    succeeded: int
    """Successful runs."""
    failed: int
    """Failed runs."""
    succeeded_at: datetime | None
    duration_s: float | None
    """Of the last one."""
    trouble: str | None
    """Why the last one failed, if it did."""


class Status(Answer):
    """Service status."""

    version: str
    ready: bool
    """Whether a viewer who comes now would be served."""
    state: State
    """`ready`, `degraded` (a viewer is served, though something is wrong) or `not ready`."""
    reasons: list[str]
    """Why it is not ready, one line each, what is worst first."""
    receiver: str
    """`ok`, or one line that says what is wrong."""
    channels: int
    programmes: int
    """In the guide."""
    streams: int
    """Viewers whose stream is open, or being opened."""
    upstreams: int
    """Streams of the receiver that are open, or being opened: one for all viewers of a channel."""
    tuners: TunerState
    refreshes: list[RefreshState]


class Programme(Answer):
    """A programme of the guide."""

    channel: str
    """The channel's id."""
    begin: datetime
    end: datetime
    title: str
    subtitle: str
    description: str
    categories: list[str]
    """English words, as in XMLTV."""
    episode: str | None
    """As S02E03 or E03."""


class Channel(Answer):
    """A channel of the lineup."""

    id: str
    number: int
    name: str
    radio: bool
    bouquets: list[str]
    service: str | None
    """The service reference; null for an IPTV entry."""
    stream_url: str
    hls_url: str | None
    """Multivariant playlist of HTTP Live Streaming. Null where `hls.enabled` is off, and for what
    its source sends as DASH."""
    hls_refusal: str | None
    """Why players of HTTP Live Streaming cannot play the channel: one line, as it was found when
    somebody opened it last (406). Null if they can, or nobody has."""
    logo_url: str | None


class Slot(Answer):
    """A programme in a few words."""

    begin: datetime
    end: datetime
    title: str
    subtitle: str


class Shown(Answer):
    """What a channel shows."""

    channel: str
    """The channel's id."""
    now: Slot | None
    next: Slot | None
    """What begins next, within a day."""


class ChannelNow(Channel):
    """A channel, and what it shows."""

    now: Programme | None
    next: Programme | None


class Page(Answer):
    """A part of a long list."""

    next: str | None
    """What to give as `after`, with the rest of the query as before, to go on; null at the end."""


class Channels(Page):
    """Channels in the order of their numbers, or of the bouquet."""

    channels: list[Channel]


class Guide(Page):
    """Programmes in the order of their begins."""

    programmes: list[Programme]


class Now(Page):
    """What channels show, in the order of their numbers, or of the bouquet."""

    channels: list[Shown]


class Access(Answer):
    """What this client may do with what it has shown."""

    may_change: bool
    """It may end streams and start a refresh."""
    has_token: bool
    """A token is set (`server.token`), and whoever shows it may."""
    detail: str | None
    """Why it may not, and what to do; null if it may."""


class Track(Answer):
    """An audio track of a stream, as the remuxer sees it."""

    pid: int
    output_pid: int
    state: str
    """`waiting`, `converting`, `passing_aac`, `scrambled`, `unsupported` or `dropped`."""
    codec: str | None
    language: str | None
    frames_decoded: int
    frames_encoded: int
    decode_errors: int
    silence_ms: int
    scrambled_packets: int
    continuity_errors: int


class Remuxing(Answer):
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


class Upstream(Answer):
    """A stream of the receiver, converted once for all its viewers."""

    id: str
    channel: str
    """Id of the channel that its viewers asked for."""
    channel_name: str | None
    """Null for a service that is in no bouquet."""
    state: str
    """`opening`; `running`; `reconnecting`: the receiver's stream was lost and is opened again;
    `lingering`: nobody watches, and the next viewer begins at once."""
    since: datetime
    viewers: int
    """Viewers of it, including those whose stream is being opened."""
    transponder: str | None
    """Namespace, transport stream id and original network id, hexadecimal. Upstreams of one
    transponder use one tuner. Null if no tuner is needed."""
    ring_bytes: int
    """Size of the newest output, which is kept for viewers who join or are behind."""
    ring_s: float
    """Length of that output in seconds."""
    freezes: int
    """How often viewers got nothing although the receiver sent."""
    reconnections: int
    """How often a lost stream of the receiver came back."""
    remuxer: Remuxing | None
    """Null until the upstream has begun, and while its transcoder does not answer."""


class Stream(Answer):
    """A viewer; all players of a channel by HTTP Live Streaming are one."""

    id: str
    channel: str
    """The channel's id."""
    channel_name: str | None
    """Null for a service that is in no bouquet."""
    address: str | None
    """Of the viewer, or of the proxy before them; of the first player by HTTP Live Streaming."""
    format: str
    """`mpegts`, or `hls` for HTTP Live Streaming."""
    players: int
    """How many players there are, as far as they can be told apart."""
    since: datetime
    bytes_out: int
    """Sent to the viewer."""
    upstream: str | None
    """Id of the upstream. Viewers with the same one share it. Null until the stream has begun."""
    behind_s: float | None
    """Seconds for which the next output has waited for the viewer; no more than the upstream's
    `ring_s`. Null until the stream has begun."""
    skips: int
    """How often the viewer fell behind the kept output and went on at the newest."""
    skipped_bytes: int
    """Size of the output that was left out."""


class Streams(Answer):
    """Who watches what."""

    streams: list[Stream]
    """Viewers, the earliest first."""
    upstreams: list[Upstream]
    """What they watch, the earliest first, with what lingers."""


class Failure(Answer):
    """A stream that did not open, or that broke."""

    at: datetime
    """When it last happened."""
    channel: str
    """What was asked for: most often a channel's id."""
    channel_name: str | None
    """Null for what is in no bouquet."""
    viewer: str | None
    """Address of the viewer, or of the proxy before them."""
    status: int | None
    """The HTTP status that the viewer got; null when the stream had begun."""
    outcome: str
    """A word for programs, as in `xg2g_streams_total`."""
    reason: str
    """One line for a user: what is wrong, and what to do."""
    times: int
    """How often it happened."""


class Failures(Answer):
    """The last streams that failed, the latest first; no more than 20."""

    failures: list[Failure]


class Accepted(Answer):
    """A refresh that has begun."""

    detail: str


class NoQuery(Query):
    """Nothing to choose."""


class PageQuery(Query):
    """Which part of a long list."""

    limit: Annotated[int, Field(ge=1, le=5000)] = 1000
    """Maximum number of items."""
    after: str | None = None
    """Continue after this cursor: `next` of the answer before."""


class ChannelsQuery(PageQuery):
    """Which channels."""

    bouquet: str | None = None
    """Those of this bouquet alone, in its order."""
    radio: bool | None = None
    """Radio alone, or television alone."""


class GuideQuery(PageQuery):
    """Which programmes."""

    channel: str | None = None
    """Those of this channel alone."""
    channels: Annotated[str | None, Field(max_length=MAX_IDS_LENGTH)] = None
    """Those of these channels alone: ids with commas between them, 200 at most."""
    search: Annotated[str | None, Field(max_length=100)] = None
    """Those whose title or subtitle has all of these words, in whatever case."""
    brief: bool = False
    """Leave descriptions and categories empty."""
    begin: Annotated[AwareDatetime | None, Field(alias="from")] = None
    """What runs then, or later; now if not given. RFC 3339 with its zone, or seconds since
    1970."""
    end: Annotated[AwareDatetime | None, Field(alias="to")] = None
    """What begins before; four hours later if not given, and 31 days later at most."""
