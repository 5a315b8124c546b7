"""How an application ends a body that has begun and is not whole."""


class TruncatedError(Exception):
    """The response lacks its end. The server closes the connection without the last chunk of
    RFC 9112, 7.1, so that a client notices: section 8 has it treat the body as incomplete."""
