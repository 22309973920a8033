"""Looking for contradictions: between words and place, words and measurements, and one sentence and another.

`check` is asked after each edit, so it reads each sentence's words once (`mentions_of` keeps them) and compares in
memory only. It changes flags and nothing else; an answer lasts as long as its contradiction. The rules stand in
`wording_flags`, `measured_flags` and `pair_flags`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..anatomy import regions as anatomy
from ..anatomy.regions import Coverage
from ..report.document import Report
from ..report.sentence import Flag, FlagKind, Sentence, Verdict
from .measured_flags import measured_flags
from .mentions import mentions_of
from .pair_flags import pair_flags
from .wording_flags import wording_flags


def check(report: Report) -> Report:
    """Return the report with its flags made anew; a rejected sentence has none and contradicts nothing.

    Sentences whose flags stay the same are the same objects. The same report gives the same flags in the same order.
    """
    kept = [s for s in report.sentences if s.verdict is not Verdict.REJECTED]
    pairs = pair_flags(kept)
    sentences = tuple(_with_flags(s, _flags_of(s, report, pairs)) for s in report.sentences)
    whole = _answered(_empty_regions(kept, report), report.flags)
    if whole == report.flags and all(new is old for new, old in zip(sentences, report.sentences, strict=True)):
        return report
    return replace(report, sentences=sentences, flags=whole)


def _flags_of(sentence: Sentence, report: Report, pairs: dict[str, list[Flag]]) -> list[Flag]:
    if sentence.verdict is Verdict.REJECTED:
        return []
    mentions = mentions_of(sentence.text)
    return [
        *wording_flags(sentence, mentions, report),
        *measured_flags(sentence, mentions, report.measurements),
        *pairs.get(sentence.id, ()),
    ]


def _with_flags(sentence: Sentence, flags: list[Flag]) -> Sentence:
    found = _answered(flags, sentence.flags)
    return sentence if found == sentence.flags else replace(sentence, flags=found)


def _answered(flags: Iterable[Flag], before: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """Give each flag the answer that the same flag had before, and leave out doubles."""
    answers = {flag.key: flag.answer for flag in before if flag.answer is not None}
    unique = {flag.key: flag for flag in flags}
    return tuple(replace(flag, answer=answers[key]) if key in answers else flag for key, flag in unique.items())


def _empty_regions(kept: list[Sentence], report: Report) -> Iterable[Flag]:
    """Yield a flag for each region that the scan holds and no sentence speaks of; it reminds and does not block.

    An addendum says only what changed; the report it amends speaks of the rest.
    """
    if report.predecessor is not None:
        return
    spoken = {region_id for sentence in kept for region_id in sentence.regions}
    spoken |= {anchor.place.region_id for sentence in kept for anchor in sentence.anchors}
    for region in anatomy.regions():
        if region.id not in spoken and report.coverage[region.id] is not Coverage.ABSENT:
            held = "holds" if report.coverage[region.id] is Coverage.COMPLETE else "holds a part of"
            message = f"No sentence about the region {region.name.lower()}, which the scan {held}."
            yield Flag(FlagKind.EMPTY_REGION, message, blocking=False)
