"""The command that sends DICOM files to an archive: it lists them first and asks, because they leave this computer."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..errors import Cancelled, InputRefused
from ..export.send import Channel, Outgoing, Patience, deliver, outgoing, summary
from ..export.send_dimse import DimseChannel, DimseTarget, dimse_address
from ..export.send_web import WebChannel, WebTarget
from .watch import run, tell

TOKEN_VARIABLE = "REGIONREPORT_TOKEN"
_LONGEST_TOKEN = 16_384


def send(arguments: argparse.Namespace) -> None:
    """List the DICOM files, ask, send them."""
    web = _web_target(arguments) if arguments.dicomweb else None
    dimse = _dimse_target(arguments) if web is None else None
    files = run(outgoing(arguments.paths), arguments.json_progress)
    patience = Patience(tries=arguments.tries)
    channel: Channel
    if web is not None:
        channel = WebChannel(web, patience.timeout_s)
        way = f"{web.address} ({_encryption(web.encrypted)}, credentials: {channel.credentials})"
    else:
        assert dimse is not None
        channel = DimseChannel(dimse, files, patience.timeout_s)
        way = f"{dimse.called} at {dimse.host}:{dimse.port} ({_encryption(dimse.tls)})"
    _list(files, way, arguments.json_progress)
    _confirm(len(files), arguments.yes)
    try:
        arrived = run(deliver(files, channel, patience), arguments.json_progress)
    except KeyboardInterrupt as cause:
        raise Cancelled("cancelled; files that had arrived stay in the archive") from cause
    if arguments.json_progress:
        tell(sent=arrived, to=way)
    else:
        print(f"{arrived} files sent")


def _web_target(arguments: argparse.Namespace) -> WebTarget:
    unused = [f"--{name}" for name in ("aet", "calling_aet", "tls") if getattr(arguments, name)]
    if unused:
        raise InputRefused(f"{unused[0].replace('_', '-')} is for --dimse")
    return WebTarget(arguments.dicomweb, _token(arguments.token_file), arguments.ca, arguments.certificate)


def _dimse_target(arguments: argparse.Namespace) -> DimseTarget:
    if arguments.token_file is not None:
        raise InputRefused("--token-file is for --dicomweb; C-STORE knows no token")
    host, port = dimse_address(arguments.dimse)
    titles = {"called": arguments.aet, "calling": arguments.calling_aet}
    given = {name: title for name, title in titles.items() if title}
    certificates = {"certificates": arguments.ca, "certificate": arguments.certificate}
    return DimseTarget(host, port, tls=arguments.tls, **certificates, **given)


def _token(path: Path | None) -> str:
    """Return the token of a file or of the environment; never of the command line, which other users can see."""
    if path is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip()
    if not path.is_file() or path.stat().st_size > _LONGEST_TOKEN:
        raise InputRefused(f"{path} is no file with a token")
    try:
        token = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError as cause:
        raise InputRefused(f"{path} is no file with a token") from cause
    if not token:
        raise InputRefused(f"{path} holds no token")
    return token


def _list(files: tuple[Outgoing, ...], way: str, as_json: bool) -> None:
    lines = summary(files)
    if as_json:
        tell(to=way, files=[str(file.path) for file in files], summary=lines)
    else:
        print(f"to {way}", *(f"  {line}" for line in lines), sep="\n", flush=True)


def _confirm(number: int, yes: bool) -> None:
    """Go on with --yes or a typed yes; InputRefused where nobody can be asked."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputRefused("nothing was sent; look at the list and say --yes to send it")
    print(f"Send {number} files? Type yes to send: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise Cancelled("cancelled; nothing was sent")


def _encryption(encrypted: bool) -> str:
    return "encrypted" if encrypted else "NOT encrypted"
