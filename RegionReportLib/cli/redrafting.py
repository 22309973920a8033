"""The command that writes one region of a report anew; what the reader did to it stays."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import __version__
from ..draft.choose import WRITERS, WriterChoice, cannot_redraft, writer
from ..draft.redraft import OneRegion, by_region, measured_again, seen_in
from ..errors import Conflict, InputRefused
from ..grounding.contradictions import check
from ..progress import Work, part
from ..report.document import Report, Status
from ..report.store import Draft, open_draft
from ..review.redraft import Rewritten, next_seed, redraft_edit
from .watch import run, tell


def redraft(arguments: argparse.Namespace) -> None:
    """Write one region anew and bring it into the report as one act of its trail, which undo takes back."""
    actor = arguments.name or f"regionreport {__version__}"
    with open_draft(arguments.folder, actor=actor, check=check) as draft:
        if draft.report.status is Status.SIGNED:
            raise Conflict(f"report {draft.report.id} is signed and locked; a change is an addendum")
        rewritten = run(_written(draft, arguments), arguments.json_progress)
        edit = redraft_edit(draft.report, rewritten, draft.new_id(), draft.history())
        if edit is not None:
            draft.apply(edit)
    new = () if edit is None else edit.sentences
    if arguments.json_progress:
        tell(done=[str(arguments.folder / "report.json")], written=[s.text for s in new])
        return
    for sentence in new:
        print(f"○ {sentence.text}  [{sentence.origin.label or sentence.origin.author.value}]")
    if edit is None:
        print("The writer says the same as before; nothing was changed.")
    else:
        print(f"{len(new)} sentences written anew, {len(edit.sentence_ids)} replaced in {arguments.folder}")


def _written(draft: Draft, arguments: argparse.Namespace) -> Work[Rewritten]:
    report, region_id = draft.report, arguments.region
    name = _writer_name(report, arguments.writer)
    if name == "measured":
        if arguments.model is not None or arguments.seed is not None:
            raise InputRefused("the measured writer takes neither a model nor a seed; choose --writer for them")
        return Rewritten(region_id, measured_again(report, region_id), name)
    by = by_region(writer(WriterChoice(name, arguments.model, arguments.device, arguments.precision)))
    model = by.model  # a folder without one is told before the scan is read
    seed = arguments.seed if arguments.seed is not None else next_seed(report, region_id, draft.head.length)
    folder: Path = arguments.folder
    seen = yield from part(seen_in(folder, report, arguments.volume), 0.0, 0.4)
    sentences = yield from part(OneRegion(by, region_id, seed).write(seen), 0.4, 1.0)
    return Rewritten(region_id, sentences, name, model, seed)


def _writer_name(report: Report, asked: str | None) -> str:
    """Return the writer to ask; without a wish the one that wrote the report, if it can write one region."""
    if asked is not None:
        return asked
    if report.writer not in WRITERS:
        raise InputRefused(
            f"the report was not drafted by a writer of ours ({report.writer}); choose one with --writer"
        )
    if not WRITERS[report.writer].by_region:
        raise InputRefused(f"{cannot_redraft(report.writer)}; choose another with --writer")
    return report.writer
