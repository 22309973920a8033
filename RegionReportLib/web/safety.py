"""Who may speak to the server: only this computer's own page, or whoever holds the token.

Every request passes `Guard.check`. A page of another site that the reader has open could otherwise reach a server on
this computer; its Origin and Host give it away.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "regionreport_token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """Return a token that cannot be guessed (256 bits)."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets requests through or not; with a `token` each needs it, without one the server is for this computer only."""

    token: str | None = field(default=None, repr=False)

    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or refuse it with 401 or 403 before anything of it is read."""
        self._refuse_strangers(request)
        if self.token is not None:
            given = request.query.get("token")
            if given is not None and self._is_token(given) and request.method == "GET":
                return self._welcome(request)
            if not self._is_token(request.cookies.get(COOKIE, "")):
                raise web.HTTPUnauthorized(text="RegionReport: open the address with the token that was printed.\n")
        return await handler(request)

    def _is_token(self, given: str) -> bool:
        """Compare in a time that tells nothing, also not the length."""
        digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, self.token or "")]
        return hmac.compare_digest(*digests)

    def _welcome(self, request: web.Request) -> web.StreamResponse:
        """Keep the token in a cookie and take it out of the address, so that it does not stay in the history."""
        answer = web.HTTPSeeOther("/")
        answer.set_cookie(COOKIE, self.token or "", httponly=True, samesite="Strict", path="/")
        return answer

    def _refuse_strangers(self, request: web.Request) -> None:
        host = request.headers.get("Host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if self.token is None and name not in LOOPBACK:
            # A foreign name that was made to lead here (DNS rebinding).
            raise web.HTTPForbidden(text="RegionReport: this server is for this computer only.\n")
        origin = request.headers.get("Origin")
        if origin is None:
            if request.method not in ("GET", "HEAD") or request.headers.get("Upgrade"):
                raise web.HTTPForbidden(text="RegionReport: only its own page may do this.\n")
        elif origin not in (f"http://{host}", f"https://{host}"):
            raise web.HTTPForbidden(text="RegionReport: only its own page may do this.\n")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Forbid the page everything that it does not need; runs for every response."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
