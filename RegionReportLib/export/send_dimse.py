"""The way to an archive by DICOM's own protocol: C-STORE (PS3.7 §9.1.1) over one association, TLS if asked for.

Each file travels in the transfer syntax it has; nothing is recompressed.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from .dicom_file import read_dataset
from .send import FileRefused, Outgoing, TryAgain
from .send_tls import client_context, handshake_error

_MOST_CONTEXTS = 128
_LONGEST_TITLE = 16
_WARNINGS = (0xB000, 0xB006, 0xB007)  # stored, with a remark (PS3.4 table B.2-1)
_NO_ROOM = range(0xA700, 0xA800)


@dataclass(frozen=True, slots=True)
class DimseTarget:
    """Host, port and AE title of an archive, our own AE title, and whether to speak TLS.

    For TLS: `certificates` to trust in place of the system's, and our own `certificate` where the archive asks for one.
    """

    host: str
    port: int
    called: str = "ANY-SCP"
    calling: str = "REGIONREPORT"
    tls: bool = False
    certificates: Path | None = None
    certificate: Path | None = None

    def __post_init__(self) -> None:
        if not self.host or not self.host.isprintable() or not 1 <= self.port <= 65535:
            raise InputRefused(f"{self.host!r:.80} with port {self.port} is no address of a DICOM archive")
        for title in (self.called, self.calling):
            fits = title.isascii() and title.isprintable() and title.strip() and "\\" not in title
            if not fits or len(title) > _LONGEST_TITLE:
                raise InputRefused(f"{title!r:.40} is no AE title: 1 to 16 ASCII characters without a backslash")
        for path in (self.certificates, self.certificate):
            if path is not None and not self.tls:
                raise InputRefused(f"{path} is for TLS; say --tls")
            if path is not None and not path.is_file():
                raise InputRefused(f"there is no file of certificates {path}")


def dimse_address(text: str) -> tuple[str, int]:
    """Read HOST:PORT, with an IPv6 host in brackets; InputRefused if it is none."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or len(port) > 5 or (":" in host and not host.startswith("[")):
        raise InputRefused(f"{text!r:.80} is no HOST:PORT, such as archive.example.org:104")
    return host.removeprefix("[").removesuffix("]"), int(port)


class DimseChannel:
    """A C-STORE association, opened at the first file and again after a loss; NeedMissing without pynetdicom."""

    def __init__(self, target: DimseTarget, files: Sequence[Outgoing], timeout_s: float = 60.0) -> None:
        try:
            pynetdicom: Any = import_module("pynetdicom")
        except ModuleNotFoundError as cause:
            raise NeedMissing("sending needs the package pynetdicom: pip install 'regionreport[send]'") from cause
        logging.getLogger("pynetdicom").addHandler(logging.NullHandler())  # its errors come out as ours
        kinds = dict.fromkeys((file.sop_class_uid, file.transfer_syntax_uid) for file in files)
        if len(kinds) > _MOST_CONTEXTS:
            raise InputRefused(
                f"the files are of {len(kinds)} kinds, an association carries {_MOST_CONTEXTS}; send less"
            )
        self._target = target
        self._entity = pynetdicom.AE(ae_title=target.calling)
        for sop_class, transfer_syntax in kinds:
            self._entity.add_requested_context(sop_class, transfer_syntax)
        self._entity.connection_timeout = min(10.0, timeout_s)
        self._entity.acse_timeout = self._entity.dimse_timeout = self._entity.network_timeout = timeout_s
        self._failures: list[ssl.SSLError] = []  # of handshakes, which pynetdicom would only log
        context = client_context(target.certificates, target.certificate, self._failures) if target.tls else None
        self._tls = None if context is None else (context, target.host)
        self._association: Any = None

    def store(self, file: Outgoing) -> None:
        """Send one file."""
        association = self._open()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = association.send_c_store(read_dataset(file.path))
        except ValueError as cause:
            raise FileRefused(f"the archive takes no {file.modality or 'such'} objects stored like this") from cause
        except RuntimeError as cause:
            raise TryAgain(f"{self._name} closed the connection") from cause
        status = answer.get("Status")
        if status is None:
            raise TryAgain(f"{self._name} did not answer in time or closed the connection")
        if status in _NO_ROOM:
            raise TryAgain(f"{self._name} has no room now (0x{status:04X})")
        if status != 0 and status not in _WARNINGS:
            raise FileRefused(f"not stored, status 0x{status:04X} (PS3.4 table B.2-1)")

    def close(self) -> None:
        """Release the association."""
        if self._association is not None and self._association.is_established:
            self._association.release()
        self._association = None

    @property
    def _name(self) -> str:
        return f"{self._target.called} at {self._target.host}:{self._target.port}"

    def _open(self) -> Any:
        if self._association is not None and self._association.is_established:
            return self._association
        target = self._target
        self._failures.clear()
        try:
            self._association = self._entity.associate(
                target.host, target.port, ae_title=target.called, tls_args=self._tls
            )
        except OSError as cause:
            raise TryAgain(f"{self._name} does not answer ({cause.strerror or type(cause).__name__})") from cause
        if self._association.is_established:
            return self._association
        if self._association.is_rejected:
            raise InputRefused(f"{self._name} rejects the AE title {target.calling!r} or its own ({target.called!r})")
        raise self._not_established()

    def _not_established(self) -> Exception:
        if self._failures:
            return handshake_error(self._name, self._failures[0])
        if self._tls is None:
            return TryAgain(f"{self._name} does not answer")
        own = (
            "not accept our certificate"
            if self._target.certificate
            else "ask for a certificate of ours (--certificate)"
        )
        return TryAgain(f"{self._name} does not answer over TLS; it may speak none, or {own}")
