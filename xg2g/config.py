"""Settings, from the first of: flags of the command line, `XG2G_*` variables, defaults."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .backends.base import RemuxOptions
from .errors import UsageError
from .receiver.address import Credentials, ReceiverAddress
from .receiver.stream import StreamDeadlines

DEFAULT_PORT = 8088
"""The predecessor's later port: 8080, its first, is taken on many machines."""


def _bits_per_second(value: object) -> object:
    """Read `192k` as well as `192000`."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)k", value.strip().lower())):
        return int(match[1]) * 1000
    return value


def _tracks(value: object) -> object:
    """Read `all`, `first` or `deu,eng`."""
    if isinstance(value, str):
        codes = tuple(code.strip() for code in value.split(",") if code.strip())
        return value.strip() if codes in (("all",), ("first",), ()) else codes
    return value


def _predecessors(name: str, *older: str) -> Any:
    """The variable's name, and those that the predecessor had for it."""
    return AliasChoices(f"XG2G_{name}", *(f"XG2G_{item}" for item in older))


Seconds = Annotated[float, Field(gt=0, le=600)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Every setting of the daemon, checked. `read` makes one."""

    model_config = SettingsConfigDict(
        env_prefix="XG2G_",
        populate_by_name=True,
        env_ignore_empty=True,
        frozen=True,
        use_attribute_docstrings=True,
    )

    receiver: Annotated[
        str, Field(validation_alias=_predecessors("RECEIVER", "OWI_BASE"), repr=False)
    ] = ""
    """URL of the receiver's web interface; may hold a password."""
    receiver_user: Annotated[
        str | None, Field(validation_alias=_predecessors("RECEIVER_USER", "OWI_USER"))
    ] = None
    """User of the receiver's web interface and streams, if it asks."""
    receiver_password: Annotated[
        SecretStr | None, Field(validation_alias=_predecessors("RECEIVER_PASSWORD", "OWI_PASS"))
    ] = None
    """That user's password."""
    stream_port: Port = 8001
    """Port of the receiver's stream server."""
    host: str = "127.0.0.1"
    """Address to listen on. Loopback, since whoever reaches it can use the tuners."""
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    """Port to listen on; 0 takes a free one."""

    connect_timeout_s: Seconds = 5
    """Until the receiver accepts a connection."""
    answer_timeout_s: Seconds = 30
    """Until the web interface has answered; a busy receiver takes many seconds for a big list."""
    first_byte_timeout_s: Seconds = 15
    """Until the first byte of a stream; a receiver may search 5 to 20 s for a lock."""
    stall_timeout_s: Seconds = 10
    """Between two bytes of a stream."""
    send_timeout_s: Seconds = 10
    """For a viewer to take what was sent to them."""

    audio_bitrate: Annotated[int, BeforeValidator(_bits_per_second)] = 192_000
    """AAC bit rate in bit/s."""
    audio_channels: int = 2
    """1, 2 or 6; 0 keeps the source's."""
    audio_sample_rate: int = 0
    """In Hz; 0 keeps the source's."""
    audio_tracks: Annotated[
        Literal["all", "first"] | tuple[str, ...], NoDecode, BeforeValidator(_tracks)
    ] = "all"
    """Every audio track, the first, or the one that fits the earliest of these ISO 639 codes."""
    audio_keep_original: bool = False
    """Send the source's tracks as well."""

    @classmethod
    def read(cls, **flags: object) -> Self:
        """Read the settings; a flag that is None was not given. Raises `UsageError`."""
        try:
            return cls(**{key: value for key, value in flags.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise UsageError(_explained(first)) from None

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        self.remux_options()
        if self.receiver:
            self.receiver_address()
        return self

    def receiver_address(self) -> ReceiverAddress:
        """Where the receiver is. Raises `UsageError` when nothing says so."""
        if not self.receiver:
            raise UsageError(
                "no receiver is set; add --receiver http://192.168.1.10 or set XG2G_RECEIVER, "
                "or try xg2g demo, which needs none"
            )
        credentials = None
        if self.receiver_user is not None:
            secret = self.receiver_password
            credentials = Credentials(
                self.receiver_user, secret.get_secret_value() if secret else ""
            )
        return ReceiverAddress.parse(
            self.receiver, stream_port=self.stream_port, credentials=credentials
        )

    def remux_options(self) -> RemuxOptions:
        """What is asked of the remuxer, before a channel adds its program."""
        return RemuxOptions(
            bitrate=self.audio_bitrate,
            channels=self.audio_channels,
            sample_rate=self.audio_sample_rate,
            tracks=self.audio_tracks,
            keep_original=self.audio_keep_original,
        )

    def stream_deadlines(self) -> StreamDeadlines:
        """How long the receiver's stream server may take."""
        return StreamDeadlines(
            connect_s=self.connect_timeout_s,
            first_byte_s=self.first_byte_timeout_s,
            stall_s=self.stall_timeout_s,
        )


def _explained(error: Any) -> str:
    """One line of pydantic's report: which setting, and what it takes."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0]).removeprefix("XG2G_").lower()
    return f"--{name.replace('_', '-')} (XG2G_{name.upper()}): {message[0].lower()}{message[1:]}"
