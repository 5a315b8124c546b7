"""Errors of a backend, with the table from numbers of the C ABI and kinds of the HTTP service to
exceptions and HTTP statuses.

Numbers and names are those of `ErrorKind` in transcoder/src/error.rs; the service adds the kinds in
transcoder/src/service/problem.rs. A number never gets a second meaning.
"""

from typing import ClassVar


class BackendError(Exception):
    """Base class of the errors that a backend raises. The text is one line for a user."""

    http_status: ClassVar[int] = 500


class InternalError(BackendError):
    """A bug in the remuxer."""


class OutputTooSmallError(BackendError):
    """The output buffer was too small; nothing was lost."""


class InvalidArgumentError(BackendError, ValueError):
    """An argument or option is out of its range."""

    http_status = 400


class PoisonedError(BackendError):
    """An earlier call of this remuxer failed because of a bug; it can only be closed."""


class CodecError(BackendError):
    """A codec could not be set up."""


class FinishedError(BackendError):
    """Bytes were passed to a stream that was already finished."""

    http_status = 409


class BusyError(BackendError):
    """Another call of this remuxer is running."""

    http_status = 409


class ClosedError(BackendError):
    """The remuxer or backend is closed."""

    http_status = 410


class UnavailableError(BackendError):
    """The backend cannot be used: its library does not load, or its service does not respond."""

    http_status = 503


KINDS: dict[int, tuple[str, type[BackendError]]] = {
    -1: ("Internal", InternalError),
    -2: ("OutputTooSmall", OutputTooSmallError),
    -3: ("InvalidArgument", InvalidArgumentError),
    -4: ("Poisoned", PoisonedError),
    -5: ("Codec", CodecError),
    -6: ("Finished", FinishedError),
    -7: ("Busy", BusyError),
}
"""Number in the C ABI -> (name of the kind in Rust, exception). `ClosedError` and
`UnavailableError` have no number: they are raised before the library is called."""

SERVICE_KINDS: dict[str, tuple[int, type[BackendError]]] = {
    "NotFound": (404, UnavailableError),
    "Unauthorized": (401, UnavailableError),
    "TooLarge": (413, UnavailableError),
    "BadSequence": (409, UnavailableError),
    "Full": (503, UnavailableError),
    "Stopping": (503, UnavailableError),
    "BadRequest": (400, UnavailableError),
    "MethodNotAllowed": (405, UnavailableError),
    "Timeout": (408, UnavailableError),
}
"""Kind that the service adds to those of Rust -> (HTTP status, exception). After each of them this
remuxer cannot be used any more, but another one may work."""


def error_for(number: int, message: str) -> BackendError:
    """Return the exception for a number that the C ABI returned."""
    _, exception = KINDS.get(number, ("", InternalError))
    return exception(message)


def error_for_kind(kind: str, message: str) -> BackendError:
    """Return the exception for the kind in a service's problem response."""
    for name, exception in (*KINDS.values(), *((n, e) for n, (_, e) in SERVICE_KINDS.items())):
        if name == kind:
            return exception(message)
    return InternalError(message)
