"""Certificates of both ends of an encrypted connection: whom to trust, and what shows who we are."""

from __future__ import annotations

import ssl
from pathlib import Path

from ..errors import InputRefused
from .send import TryAgain


def client_context(
    trusted: Path | None, own: Path | None, failures: list[ssl.SSLError] | None = None
) -> ssl.SSLContext:
    """Return the settings of a connection that checks the other's certificate and name.

    `trusted` is a PEM file of certificates to trust instead of the system's, `own` one with our certificate and its
    key. A handshake that fails adds its error to `failures`, for libraries that would only log it. InputRefused if a
    file holds no such thing, or its key needs a password (asking for it would stop a program without a terminal).
    """
    try:
        context = ssl.create_default_context(cafile=trusted)
    except OSError as cause:
        raise InputRefused(f"{trusted} holds no certificates that can be read (PEM)") from cause
    if own is not None:
        try:
            context.load_cert_chain(own, password=_no_password)
        except (OSError, ValueError) as cause:
            raise InputRefused(
                f"{own} holds no certificate with its key that can be read (PEM, no password)"
            ) from cause
    if failures is not None:
        context.sslsocket_class = _remembering(failures)
    return context


def handshake_error(name: str, failure: BaseException | None) -> TryAgain | InputRefused:
    """Return the error that tells why `name` and we did not come to terms; `failure` may have other errors around it.

    A line that broke off may hold the next time; what the two do not agree on stays so.
    """
    while failure is not None and not isinstance(failure, ssl.SSLError):
        failure = failure.__cause__ or failure.__context__
    if isinstance(failure, ssl.SSLCertVerificationError):
        why = failure.verify_message
        return InputRefused(f"{name} has no certificate that is trusted here ({why}); give its own with --ca")
    if failure is None or isinstance(failure, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TryAgain(f"{name} broke off while TLS was agreed on")
    reason = (failure.reason or "no reason told").replace("_", " ").lower()
    hint = "it may speak none, or ask for a certificate of ours (--certificate)"
    return InputRefused(f"{name} does not agree on TLS ({reason}); {hint}")


def _no_password() -> str:
    raise ValueError("the key is protected by a password")


def _remembering(failures: list[ssl.SSLError]) -> type[ssl.SSLSocket]:
    class Socket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            try:
                super().do_handshake(block)
            except ssl.SSLError as failure:
                failures.append(failure)
                raise

    return Socket
