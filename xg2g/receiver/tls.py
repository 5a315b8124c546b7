"""TLS as receivers speak it."""

import ssl
import warnings
from functools import cache

_CIPHERS = "DEFAULT:ALL:!aNULL:!eNULL:@SECLEVEL=0"
"""What is offered, the good ones first. Security level 0 admits RSA keys of 1024 bits, SHA-1 in
signatures, and TLS before 1.2 (openssl-ciphers(1), SSL_CTX_set_security_level(3))."""

_LEGACY_SERVER_CONNECT = getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
"""Python names it from 3.12 on. Servers without RFC 5746 are spoken to; xg2g never renegotiates."""


@cache
def receiver_tls() -> ssl.SSLContext:
    """Return the context for HTTPS to receivers: from TLS 1.0 on, without a look at certificates.

    A receiver's certificate is its own and names nobody, so that nothing is verified. Who could
    break an old protocol could as well show another certificate: refusing it would only shut old
    receivers out. Whatever both sides have that is newer is used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(_CIPHERS)
    context.options |= _LEGACY_SERVER_CONNECT
    with warnings.catch_warnings():
        # Python warns of old protocols.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context
