"""`regionreport find-places`: places for the sentences of a report by their words, offered beside those they have."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import __version__
from ..draft.find_places import find_places as finding
from ..draft.find_places import sought
from ..draft.redraft import seen_in
from ..grounding.contradictions import check
from ..grounding.found import Found
from ..progress import Work, part
from ..report.store import Draft, open_draft
from ..review.offering import offers_of, told
from ..segment.voxtell import VoxTell
from .watch import run, tell


def find_places(arguments: argparse.Namespace) -> None:
    """Look for what the sentences say and offer it; what is not offered is told with the reason."""
    actor = arguments.name or f"regionreport {__version__}"
    with open_draft(arguments.folder, actor=actor, check=check) as draft:
        found = run(_found(draft, arguments), arguments.json_progress)
        offers = offers_of(draft.report, found)
        for edit in offers:
            draft.apply(edit)
    if arguments.json_progress:
        lines = [{"sentence": one.sentence_id, "phrase": one.phrase, "words": one.words} for one in found]
        tell(done=[str(arguments.folder / "report.json")], offered=len(offers), found=lines)
        return
    for one in found:
        print(f"{one.sentence_id}: {one.words}")
    if len(found) > 1:
        print(told(found, len(offers)))


def _found(draft: Draft, arguments: argparse.Namespace) -> Work[tuple[Found, ...]]:
    wanted = sought(draft.report, arguments.sentence)
    finder = VoxTell(arguments.model, device=arguments.device)
    finder.check()  # what is missing is said before the scan is read
    folder: Path = arguments.folder
    seen = yield from part(seen_in(folder, draft.report, arguments.volume), 0.0, 0.1)
    found = yield from part(finding(wanted, seen, finder), 0.1, 1.0)
    return found
