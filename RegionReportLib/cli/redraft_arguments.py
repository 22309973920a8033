"""The words of `regionreport redraft`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..anatomy.regions import REGION_IDS
from ..draft.choose import DEVICES, PRECISIONS, WRITERS


def add_redraft_arguments(redraft: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    redraft.add_argument("folder", type=Path, metavar="DIR", help="a report folder")
    redraft.add_argument("--region", choices=REGION_IDS, required=True, help="what to write anew")
    names = tuple(name for name, kind in WRITERS.items() if kind.by_region)
    redraft.add_argument("--writer", choices=names, help="what writes (default: the writer of the report)")
    redraft.add_argument("--model", metavar="FOLDER", help="the writer's model (default: see `regionreport models`)")
    redraft.add_argument("--device", choices=DEVICES, default="auto", help="where a model runs (default: auto)")
    redraft.add_argument("--precision", choices=PRECISIONS, default="auto", help="numbers of a language model")
    drawn = "draw other words by chance (default: the likeliest at first, then another seed each time)"
    redraft.add_argument("--seed", type=int, metavar="N", help=drawn)
    moved = "where the scan of the report lies, if it was moved"
    redraft.add_argument("--volume", type=Path, metavar="PATH", help=moved)
    redraft.add_argument("--name", help="who asks for it; named in the trail (default: the program)")
    redraft.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")
