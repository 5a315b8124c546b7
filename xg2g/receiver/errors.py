"""What can go wrong at the receiver. Nothing else leaves this package.

Every text is one line for a user and names no password.
"""


class ReceiverError(Exception):
    """Base of everything that asking the receiver raises."""


class UnreachableError(ReceiverError):
    """No connection, or it broke before an answer."""


class OutOfFilesError(ReceiverError):
    """This process has as many files and connections open as the system allows."""


class TlsError(UnreachableError):
    """It is there, and speaks no TLS, or none that this computer can speak."""


class CircuitOpenError(UnreachableError):
    """The receiver failed several times and is left alone for some seconds: nothing was asked."""


class CredentialsError(ReceiverError):
    """The receiver wants a user and password, or other ones than it was given."""


class AddressRefusedError(CredentialsError):
    """The receiver refuses the asking computer's address, whoever uses it."""


class UnexpectedAnswerError(ReceiverError):
    """Something answered that is no Enigma2 receiver, or one that is in trouble."""


class TimeLimitError(ReceiverError):
    """The receiver was silent for longer than a deadline allows."""


class NoTunerError(ReceiverError):
    """The receiver refused the service: every tuner is taken, or it knows no such service."""


class UnknownServiceError(ReceiverError):
    """The receiver refused the service, and would with every tuner free: it does not know it, or
    no tuner of it reaches the service's satellite."""


class NoSignalError(ReceiverError):
    """The receiver accepted the service and ended the stream without a byte: it found no lock."""


class FileOverError(NoSignalError):
    """What was opened is a file on the web, and it has been read to its end."""


class ScrambledError(ReceiverError):
    """The receiver sends the service as it is broadcast: it does not descramble it."""
