"""What a redraft of one region does to an open report: which sentences go, which come, and what stays as it is.

Nothing of the reader's is lost: a sentence that was written, edited, judged, tied or answered for by the reader stays,
and words that the report holds already, or held before the reader changed them, do not come again. Writing the
sentences is another process's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..anatomy import regions as anatomy
from ..errors import Conflict
from ..report.audit import Entry
from ..report.document import Report
from ..report.edits import Merge, Redraft
from ..report.replay import REDO, UNDO
from ..report.sentence import Author, Sentence, is_untouched
from .session import Session


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a `writer` says of a region now: its `sentences`, with ids that serve as stems of new ones.

    `model` is the name and SHA-256 of its model, empty without one; `seed` that of words drawn by chance, None for the
    likeliest words.
    """

    region_id: str
    sentences: tuple[Sentence, ...]
    writer: str
    model: str = ""
    seed: int | None = None


def going(report: Report, region_id: str, of_model: bool) -> tuple[Sentence, ...]:
    """Return the sentences that a redraft of a region replaces: untouched ones of a model, or the measured ones.

    Those of a model are what it said when it was asked about the region, whatever place its words name.
    """
    return tuple(s for s in report.sentences if is_untouched(s) and _belongs(s, region_id, of_model))


def next_seed(report: Report, region_id: str, acts: int) -> int | None:
    """Return the seed of the next redraft by a model: none for its first words, then another after each act.

    `acts` is the length of the trail, so that the same review gives the same seeds.
    """
    told = any(_belongs(s, region_id, of_model=True) for s in report.sentences)
    return acts if told else None


def redraft_edit(report: Report, rewritten: Rewritten, suffix: str, trail: Iterable[Entry] = ()) -> Redraft | None:
    """Return the edit that brings in what was rewritten, None if the report says all of it already.

    `suffix` is an id that no sentence of the report ever had; it makes the new ids unique. `trail` is that of the
    report; it knows the words that the reader changed.
    """
    gone = going(report, rewritten.region_id, of_model=bool(rewritten.model))
    staying = [s for s in report.sentences if s not in gone]
    known = {_plain(text) for text in (*(s.text for s in staying), *_changed(staying, report, trail))}
    # Of a measured sentence that the reader edited, the words are others but what they rest on is the same.
    told = {s.evidence for s in staying if s.evidence and s.origin.author is Author.MEASURED}
    coming = [
        s
        for s in rewritten.sentences
        if _plain(s.text) not in known and not (s.origin.author is Author.MEASURED and s.evidence in told)
    ]
    if [_plain(s.text) for s in gone] == [_plain(s.text) for s in coming]:
        return None
    return Redraft(
        region_id=rewritten.region_id,
        sentence_ids=tuple(s.id for s in gone),
        sentences=tuple(replace(s, id=f"{s.id}.{suffix}") for s in coming),
        writer=rewritten.writer,
        model=rewritten.model,
        seed=rewritten.seed,
        before=_before(report, gone, rewritten.region_id),
    )


def take_redraft(session: Session, rewritten: Rewritten) -> str:
    """Bring what was rewritten into the open report as one act, and return in words what became of it.

    The report is looked at as it is now: what the reader did while the writer wrote is kept too. Raises Conflict for
    a report that is signed or open for reading, and leaves it as it is.
    """
    if not session.editable:
        raise Conflict("the report is signed or open for reading only; nothing was changed")
    name = anatomy.region(rewritten.region_id).name
    edit = redraft_edit(session.report, rewritten, session.draft.new_id(), session.draft.history())
    if edit is None:
        return f"{name}: the writer says the same as before; nothing was changed."
    chosen = session.chosen
    session.do(edit)
    if chosen is not None and session.chosen is None:
        session.choose(edit.sentences[0].id if edit.sentences else None)
    return (
        f"{name}: {len(edit.sentences)} sentences written anew, {len(edit.sentence_ids)} replaced. Undo takes it back."
    )


def _changed(staying: Iterable[Sentence], report: Report, trail: Iterable[Entry]) -> Iterator[str]:
    """Yield the words of sentences before the reader changed them or merged them into another."""
    now = {s.id: s.text for s in staying}
    present = {s.id for s in report.sentences}
    for entry in trail:
        if entry.act.kind in (Redraft.kind, UNDO, REDO):
            continue
        for words in entry.act.words:
            changed = now.get(words.sentence_id, words.before) != words.before
            merged = entry.act.kind == Merge.kind and words.sentence_id not in present
            if words.before is not None and (changed or merged):
                yield words.before


def _belongs(sentence: Sentence, region_id: str, of_model: bool) -> bool:
    if of_model and sentence.asked_about is not None:
        return sentence.asked_about == region_id
    author = Author.MODEL if of_model else Author.MEASURED
    return sentence.asked_about is None and sentence.origin.author is author and sentence.regions[:1] == (region_id,)


def _before(report: Report, gone: Sequence[Sentence], region_id: str) -> str | None:
    """Return the sentence in front of which new ones stand: where the first old one was, else behind the region."""
    ids = [s.id for s in report.sentences]
    if gone:
        at = ids.index(gone[0].id)
    else:
        of_region = [n for n, s in enumerate(report.sentences) if s.regions[:1] == (region_id,)]
        at = of_region[-1] + 1 if of_region else len(ids)
    leaving = {s.id for s in gone}
    return next((one for one in ids[at:] if one not in leaving), None)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
