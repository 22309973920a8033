"""Addresses of web services as a user gives them: checked once, never with a secret in them."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from ..errors import InputRefused

_LONGEST = 2000


def service_address(address: str, what: str) -> str:
    """Return the base address of the service `what` without a slash at its end; InputRefused if it is none.

    A user name or password in it would be written, shown or logged with it, so it is refused.
    """
    try:
        parts = urlsplit(address)
        secret = "@" in parts.netloc
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        secret, whole = "@" in address, False
    if secret:
        raise InputRefused(f"the address of the {what} holds a user name or password, which must not be shown with it")
    odd = not address.isascii() or not address.isprintable() or any(c in address for c in " \"'<>?#\\^`{|}")
    if not whole or odd or len(address) > _LONGEST:
        raise InputRefused(f"{address!r:.80} is no base address of a {what}, such as https://host/dicom-web")
    return address.rstrip("/")


def is_this_computer(host: str) -> bool:
    """Tell whether a host name is this computer's own, so that nothing leaves it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
