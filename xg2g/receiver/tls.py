"""TLS for receivers, many of which are old."""

import ssl
import warnings
from functools import cache

_CIPHERS = "DEFAULT:ALL:!aNULL:!eNULL:@SECLEVEL=0"
"""Ciphers to offer, the best first. Security level 0 allows RSA keys of 1024 bits, SHA-1 in
signatures, and TLS before 1.2 (openssl-ciphers(1), SSL_CTX_set_security_level(3))."""

_LEGACY_SERVER_CONNECT = getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
"""Allows servers without RFC 5746; xg2g never renegotiates. Python names it from 3.12 on."""


@cache
def receiver_tls() -> ssl.SSLContext:
    """Return the context for HTTPS to receivers: TLS 1.0 and later, certificates not verified.

    Receivers sign their own certificates, so verifying them proves nothing. An attacker who could
    break an old protocol could as well present another certificate: refusing old protocols would
    only exclude old receivers. The newest version that both sides have is used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(_CIPHERS)
    context.options |= _LEGACY_SERVER_CONNECT
    with warnings.catch_warnings():
        # Python warns about old protocols.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context
