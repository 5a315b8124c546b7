"""Errors of receiving. The room raises no others.

Each text is one line for a user and contains no password.
"""


class ReceiverError(Exception):
    """Base of the errors that a request to the receiver raises."""


class UnreachableError(ReceiverError):
    """There is no connection, or it broke before an answer."""


class OutOfFilesError(ReceiverError):
    """This process has reached its limit of open files and connections."""


class TlsError(UnreachableError):
    """The receiver was reached, but no TLS version is common to it and this computer."""


class CircuitOpenError(UnreachableError):
    """No request was sent: after several failures, requests pause for some seconds."""


class CredentialsError(ReceiverError):
    """The receiver requires a user and a password, or refuses the given ones."""


class AddressRefusedError(CredentialsError):
    """The receiver refuses this computer's address, whatever the credentials."""


class UnexpectedAnswerError(ReceiverError):
    """The answer is not that of a working Enigma2 receiver."""


class TimeLimitError(ReceiverError):
    """The receiver did not answer within a deadline."""


class NoTunerError(ReceiverError):
    """The receiver refused the service: all tuners are in use, or it does not know the service."""


class UnknownServiceError(ReceiverError):
    """The receiver refused the service, and would do so with all tuners free: it does not know the
    service, or none of its tuners receives the service's satellite."""


class NoSignalError(ReceiverError):
    """The receiver accepted the service but ended the stream without a byte: it found no signal."""


class FileOverError(NoSignalError):
    """The source is a file on the web, and it has been read to its end."""


class ScrambledError(ReceiverError):
    """The receiver does not descramble the service."""
