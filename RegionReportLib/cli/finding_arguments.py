"""The words of `regionreport find-places`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_finding_arguments(find: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    find.add_argument("folder", type=Path, metavar="DIR", help="a report folder")
    which = "a sentence by its id, repeatable (default: all that affirm a finding)"
    find.add_argument("--sentence", action="append", default=[], metavar="ID", help=which)
    find.add_argument(
        "--model", type=Path, metavar="FOLDER", help="VoxTell's files (default: see `regionreport models`)"
    )
    find.add_argument("--device", default="auto", help="where VoxTell runs: auto, cpu, cuda, cuda:N (default: auto)")
    moved = "where the scan of the report lies, if it was moved"
    find.add_argument("--volume", type=Path, metavar="PATH", help=moved)
    find.add_argument("--name", help="who asks for it; named in the trail (default: the program)")
    find.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")
