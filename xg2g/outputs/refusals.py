"""HTTP statuses for streams that cannot begin."""

from dataclasses import dataclass
from typing import Final

from xg2g_backends.errors import BackendError, UnavailableError

from ..metrics import Outcome
from ..receiver.errors import (
    CredentialsError,
    NoSignalError,
    NoTunerError,
    OutOfFilesError,
    ReceiverError,
    ScrambledError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnknownServiceError,
    UnreachableError,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a viewer before the first byte of a stream.

    Its body stays empty for transport streams: Jellyfin stores any body as video, whatever the
    status.
    """

    status: int
    hdhomerun_error: str | None
    """Code and text of SiliconDust's HTTP interface; None where no code fits."""
    outcome: Outcome


UNKNOWN_CHANNEL: Final = (404, "801 Unknown Channel")
UNKNOWN: Final = Refusal(*UNKNOWN_CHANNEL, Outcome.UNKNOWN_SERVICE)
SYSTEM_BUSY: Final = Refusal(503, "803 System Busy", Outcome.RECEIVER_UNREACHABLE)
NO_DATA: Final = Refusal(504, "807 No Video Data", Outcome.NO_SIGNAL)
INTERNAL_ERROR: Final = Refusal(500, "806 Tune Failed", Outcome.BACKEND_FAILED)

ENDED_BEFORE: Final[dict[Outcome, tuple[Refusal, str]]] = {
    Outcome.SHUTDOWN: (Refusal(503, "803 System Busy", Outcome.SHUTDOWN), "xg2g is shutting down"),
    Outcome.TERMINATED: (
        Refusal(503, "803 System Busy", Outcome.TERMINATED),
        "the stream was ended through the API before it began",
    ),
    Outcome.DURATION_OVER: (
        Refusal(504, "807 No Video Data", Outcome.DURATION_OVER),
        "the requested duration was over before the stream began",
    ),
}
"""Refusal and reason for viewers whose stream was ended before it began."""

REFUSALS: Final[dict[type[Exception], Refusal]] = {
    NoTunerError: Refusal(503, "805 All Tuners In Use", Outcome.NO_TUNER),
    UnknownServiceError: UNKNOWN,
    NoSignalError: Refusal(503, "806 Tune Failed", Outcome.NO_SIGNAL),
    TimeLimitError: Refusal(504, "807 No Video Data", Outcome.RECEIVER_SILENT),
    ScrambledError: Refusal(502, "811 Content Protection Required", Outcome.SCRAMBLED),
    OutOfFilesError: Refusal(503, "803 System Busy", Outcome.OUT_OF_FILES),
    UnreachableError: Refusal(502, "806 Tune Failed", Outcome.RECEIVER_UNREACHABLE),
    CredentialsError: Refusal(502, "806 Tune Failed", Outcome.RECEIVER_CREDENTIALS),
    UnexpectedAnswerError: Refusal(502, "806 Tune Failed", Outcome.RECEIVER_UNEXPECTED),
    UnavailableError: Refusal(503, "803 System Busy", Outcome.BACKEND_UNAVAILABLE),
    BackendError: INTERNAL_ERROR,
}
"""Exception -> refusal; the first class that fits counts."""


def refusal_for(error: ReceiverError | BackendError) -> Refusal:
    """Return the refusal for an error of the receiver or the backend."""
    return next(refusal for kind, refusal in REFUSALS.items() if isinstance(error, kind))
