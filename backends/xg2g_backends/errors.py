"""What can go wrong at a backend: one table from the number in the C ABI and the kind over HTTP to
the exception and the HTTP status.

Numbers and names are those of `ErrorKind` in transcoder/src/error.rs, further kinds those of the
service in transcoder/src/service/problem.rs. A number is never given a second meaning.
"""

from typing import ClassVar


class BackendError(Exception):
    """Base of everything a backend raises. The text is one line for a user."""

    http_status: ClassVar[int] = 500


class InternalError(BackendError):
    """A defect of the remuxer."""


class OutputTooSmallError(BackendError):
    """An output buffer could not hold the output; nothing was lost."""


class InvalidArgumentError(BackendError, ValueError):
    """An argument or option is out of its range."""

    http_status = 400


class PoisonedError(BackendError):
    """An earlier call of this remuxer failed by a defect; it can only be closed."""


class CodecError(BackendError):
    """A codec could not be set up."""


class FinishedError(BackendError):
    """Bytes were given to a stream that was finished before."""

    http_status = 409


class BusyError(BackendError):
    """Another call of this remuxer is under way."""

    http_status = 409


class ClosedError(BackendError):
    """The remuxer or backend was closed before."""

    http_status = 410


class UnavailableError(BackendError):
    """The backend cannot be used: its library does not load, its service does not answer."""

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
"""Number in the C ABI -> (kind's name in Rust, exception). `ClosedError` and
`UnavailableError` have no number: they are found before the library is called."""

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
"""Kind that a service adds to those of Rust -> (its HTTP status, exception). Whatever a service
refuses for a reason of its own, this remuxer cannot be used any more, and another one may be."""


def error_for(number: int, message: str) -> BackendError:
    """Return the exception for a number that the C ABI returned."""
    _, exception = KINDS.get(number, ("", InternalError))
    return exception(message)


def error_for_kind(kind: str, message: str) -> BackendError:
    """Return the exception for the kind in a problem that a service answered with."""
    for name, exception in (*KINDS.values(), *((n, e) for n, (_, e) in SERVICE_KINDS.items())):
        if name == kind:
            return exception(message)
    return InternalError(message)
