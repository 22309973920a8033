"""The way to an archive by DICOMweb: STOW-RS (PS3.18 §10.5), one file in each request, its bytes as they are.

Certificates are checked. Credentials come from a token or from the user's netrc, go to no other address, and not over
a connection that others could read.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import InputRefused, NeedMissing
from .send import FileRefused, Outgoing, TryAgain
from .send_tls import client_context, handshake_error
from .web_address import is_this_computer, service_address

_FAILED, _STORED, _INSTANCE, _REASON = "00081198", "00081199", "00081155", "00081197"
_LARGEST_ANSWER = 2**20
_SERVICE = "DICOMweb service"


@dataclass(frozen=True, slots=True)
class WebTarget:
    """The base address of a DICOMweb service, its token if there is one, and whom to trust in place of the usual.

    `certificate` is our own, where the service asks for one.
    """

    address: str
    token: str = field(default="", repr=False)
    certificates: Path | None = None
    certificate: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", service_address(self.address, _SERVICE))
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise InputRefused("the token for the DICOMweb service holds blanks or characters that no header can carry")
        for path in (self.certificates, self.certificate):
            if path is not None and not path.is_file():
                raise InputRefused(f"there is no file of certificates {path}")

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.address.startswith("https:")


class WebChannel:
    """A STOW-RS connection; NeedMissing without the package requests."""

    def __init__(self, target: WebTarget, timeout_s: float = 60.0) -> None:
        try:
            self._requests: Any = import_module("requests")
        except ModuleNotFoundError as cause:
            raise NeedMissing("sending needs the package requests: pip install 'regionreport[send]'") from cause
        self._target = target
        self._timeout_s = (min(10.0, timeout_s), timeout_s)
        self._session = self._requests.Session()
        # Given with each request: what only the session knows, REQUESTS_CA_BUNDLE of the environment would replace.
        client_context(target.certificates, target.certificate)  # what cannot be read is told before anything is sent
        self._own = None if target.certificate is None else str(target.certificate)
        self._verify = True if target.certificates is None else str(target.certificates)
        self._auth = self._credentials()

    @property
    def credentials(self) -> str:
        """Which credentials are used, in one word; never the credentials."""
        return "token" if self._target.token else "netrc" if self._auth is not None else "none"

    def store(self, file: Outgoing) -> None:
        """Send one file."""
        boundary = secrets.token_hex(24)
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = b"".join((head, file.path.read_bytes(), f"\r\n--{boundary}--\r\n".encode()))
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        self._judge(self._post(body, {"Content-Type": kind, "Accept": "application/dicom+json"}), file)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> Any:
        errors = self._requests.exceptions
        try:
            return self._session.post(
                f"{self._target.address}/studies",
                data=body,
                headers=headers,
                auth=self._auth,
                timeout=self._timeout_s,
                verify=self._verify,
                cert=self._own,
                allow_redirects=False,  # patient data go where the user said, and nowhere else
            )
        except errors.SSLError as cause:
            raise handshake_error(self._target.address, cause) from cause
        except (errors.ConnectionError, errors.Timeout, errors.ChunkedEncodingError) as cause:
            raise TryAgain(f"{self._target.address} does not answer ({_root(cause)})") from cause
        except errors.RequestException as cause:
            raise InputRefused(f"{self._target.address} cannot be used: {type(cause).__name__}") from cause

    def _judge(self, answer: Any, file: Outgoing) -> None:
        code, address = answer.status_code, self._target.address
        if code in (200, 202, 409):
            _judge_files(answer, file)
        elif code in (401, 403):
            given = {"none": "needs credentials (a token or netrc)"}.get(self.credentials, "refuses the credentials")
            raise InputRefused(f"{address} {given}: {code} {_reason(answer)}")
        elif 300 <= code < 400:
            elsewhere = urlsplit(str(answer.headers.get("Location", ""))).hostname or "elsewhere"
            raise InputRefused(f"{address} points to {elsewhere:.80}; give the address of the service itself")
        elif code in (404, 405, 501):
            raise InputRefused(f"{address} is no DICOMweb service that stores: {code} {_reason(answer)}")
        elif code == 429 or code >= 500:
            raise TryAgain(f"{address} answers {code} {_reason(answer)}", _asked_wait_s(answer))
        else:
            raise FileRefused(f"{code} {_reason(answer)}")

    def _credentials(self) -> Any:
        """Return what signs the requests, None without credentials; InputRefused if others could read them."""
        netrc = None if self._target.token else self._requests.utils.get_netrc_auth(self._target.address)
        if not self._target.token and netrc is None:
            return None
        host = urlsplit(self._target.address).hostname or ""
        if not self._target.encrypted and not is_this_computer(host):
            raise InputRefused(f"{self._target.address} is not encrypted; credentials are sent over https only")
        return _Bearer(self._target.token) if self._target.token else netrc


class _Bearer:
    """Puts the token into a request; as `auth`, so that an entry in netrc does not take its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _judge_files(answer: Any, file: Outgoing) -> None:
    """Look whether the file is among those stored; a success without a word about files counts as success."""
    told = _dataset(answer)
    for item in _items(told, _FAILED):
        if file.instance_uid in _values(item, _INSTANCE) or not _values(item, _INSTANCE):
            reasons = _values(item, _REASON)
            code = f" 0x{reasons[0]:04X}" if reasons and isinstance(reasons[0], int) else ""
            raise FileRefused(f"not stored, reason{code or ' not told'} (PS3.18 table I.2-2)")
    stored = [uid for item in _items(told, _STORED) for uid in _values(item, _INSTANCE)]
    if answer.status_code == 409 or (stored and file.instance_uid not in stored):
        raise FileRefused(f"{answer.status_code} {_reason(answer)}")


def _dataset(answer: Any) -> dict[str, Any]:
    if len(answer.content) > _LARGEST_ANSWER:
        return {}
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _items(dataset: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    return [item for item in _values(dataset, tag) if isinstance(item, dict)]


def _values(dataset: dict[str, Any], tag: str) -> list[Any]:
    element = dataset.get(tag)
    value = element.get("Value") if isinstance(element, dict) else None
    return value if isinstance(value, list) else []


def _reason(answer: Any) -> str:
    return "".join(c for c in str(answer.reason or "")[:60] if c.isprintable())


def _asked_wait_s(answer: Any) -> float:
    asked = str(answer.headers.get("Retry-After", ""))
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0.0


def _root(error: BaseException) -> str:
    """Return the kind of the first cause; its words may hold more than belongs in a message."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
