"""The command that opens the browser door: starts the server, prints its address, opens the page."""

from __future__ import annotations

import argparse
import asyncio
import errno
import getpass
import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputRefused, NeedMissing
from ..places import data_home

if TYPE_CHECKING:
    from ..web.app import Server

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def review(arguments: argparse.Namespace) -> None:
    """Review a report folder, or draft a scan, in the browser until Ctrl-C."""
    path: Path | None = arguments.path
    if path is not None and not path.exists():
        raise InputRefused(f"{path} does not exist")
    if not 0 <= arguments.port <= 65535:
        raise InputRefused(f"a port is a number from 0 to 65535, got {arguments.port}")
    if sys.platform.startswith("linux"):
        # Before vtk is loaded: the one way to draw that needs neither a screen nor a try.
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    try:
        asyncio.run(_serve(arguments))
    except ImportError as cause:
        raise NeedMissing(f"the page needs {cause.name}: pip install 'regionreport[web]'") from cause
    except OSError as cause:
        if cause.errno == errno.EADDRINUSE:
            raise InputRefused(f"port {arguments.port} is in use; choose another with --port") from cause
        raise


async def _serve(arguments: argparse.Namespace) -> None:
    from ..web.app import Address, Server, serve
    from ..web.arrivals import Place
    from ..web.safety import new_token

    token = new_token() if arguments.token or arguments.host not in _LOOPBACK else None
    place = Place((arguments.drafts or drafts_folder()).absolute(), arguments.name or _account())
    server = Server(Address(arguments.host, arguments.port, token), place)

    def ready(port: int) -> None:
        _begin(server, arguments)
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        address = f"http://{host}:{port}/" + (f"?token={token}" if token else "")
        print(f"{address}\nCtrl-C ends; everything done is kept.", flush=True)
        if arguments.open and _has_screen():
            webbrowser.open(address)

    await serve(server, ready)


def _begin(server: Server, arguments: argparse.Namespace) -> None:
    from ..web.desk import is_report
    from ..web.drafting import Wish

    path: Path | None = arguments.path
    if path is None:
        return
    if is_report(path):
        server.door.start(server.door.open(path.absolute(), arguments.volume))
    else:
        server.door.start(server.door.draft(path.absolute(), Wish(), arguments.series))


def drafts_folder() -> Path:
    """Return the folder of all drafts of this account, the same as the Slicer module's."""
    return data_home() / "drafts"


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "reader"


def _has_screen() -> bool:
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
