"""Places for sentences by their words: phrases are looked for in the scan, what is found is held against the words.

The result is an offer. What becomes of it in a report is decided elsewhere, and a part on another side than the
sentence says is told but never offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..errors import Conflict, InputRefused
from ..grounding.found import Found
from ..grounding.wanted import Wanted, wanted_of
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from ..report.document import Report, Status
from ..report.place import Anchor, AnchorSource
from ..report.sentence import Sentence, Verdict
from ..segment.voxtell import Cut, PhraseMasks
from .found_parts import FoundPart, parts_of
from .wording import listed, millimetres, volume
from .writer import Seen

_MOST, _TOLD = 8, 3
# Words and masks measure differently; only a gross difference is worth a word.
_FACTOR = 1.5


class Finder(Protocol):
    """Looks for phrases in a scan; `segment.voxtell.VoxTell` is one."""

    def find(self, volume: Volume, phrases: Sequence[str]) -> Work[PhraseMasks]:
        """Return a mask, or None, for each phrase."""


def sought(report: Report, sentence_ids: Sequence[str] = ()) -> dict[str, Wanted]:
    """Return what is to be looked for, by sentence; without `sentence_ids` for all that affirm a finding.

    Conflict for a signed report; InputRefused, with the reason, for a named sentence that has nothing to look for, and
    if no sentence has.
    """
    if report.status is Status.SIGNED:
        raise Conflict(f"report {report.id} is signed and locked; a change is an addendum")
    if sentence_ids:
        return {one: wanted_of(_named(report, one)) for one in sentence_ids}
    found = {}
    for sentence in report.sentences:
        if sentence.verdict is not Verdict.REJECTED and not sentence.placeless:
            try:
                found[sentence.id] = wanted_of(sentence)
            except InputRefused:
                continue
    if not found:
        raise InputRefused("no sentence of this report affirms a finding that could be looked for")
    return found


def find_places(wanted: dict[str, Wanted], seen: Seen, finder: Finder) -> Work[tuple[Found, ...]]:
    """Look for what sentences want, see `sought`, and return what was found for each, in their order."""
    phrases = list(dict.fromkeys(one.phrase for one in wanted.values()))
    masks = yield from part(finder.find(seen.volume, phrases), 0.0, 0.95)
    cuts = dict(zip(phrases, masks.cuts, strict=True))
    found = []
    for number, (sentence_id, one) in enumerate(wanted.items()):
        yield Progress(0.95 + 0.05 * number / len(wanted), "measuring what was found")
        found.append(_found(sentence_id, one, (cuts[one.phrase], masks.method), seen))
    return tuple(found)


def _named(report: Report, sentence_id: str) -> Sentence:
    try:
        return report.sentence(sentence_id)
    except KeyError:
        raise InputRefused(f"the report has no sentence {sentence_id!r:.80}") from None


def _found(sentence_id: str, wanted: Wanted, mask: tuple[Cut | None, str], seen: Seen) -> Found:
    cut, method = mask
    parts = () if cut is None else parts_of(cut, seen)
    fitting = [one for one in parts if not _on_another_side(one, wanted)]
    astray = [one for one in parts if _on_another_side(one, wanted)]
    anchors = tuple(
        Anchor(one.place, AnchorSource.VOXTELL, note=_note(one, wanted, method, largest=n == 0))
        for n, one in enumerate(fitting[:_MOST])
    )
    return Found(sentence_id, wanted.phrase, anchors, _words(wanted, fitting, astray))


def _on_another_side(one: FoundPart, wanted: Wanted) -> bool:
    return bool(wanted.sides) and one.side is not None and one.side not in wanted.sides


def _note(one: FoundPart, wanted: Wanted, method: str, largest: bool) -> str:
    notes = [f"{method}, for “{wanted.phrase}”: {_size(one)}"]
    said = wanted.longest_mm
    if largest and said and not said / _FACTOR <= one.longest_mm <= said * _FACTOR:
        notes.append(f"the sentence says {millimetres(said)}")
    if wanted.sides and one.side is None:
        notes.append("its side could not be checked")
    return "; ".join(notes)


def _size(one: FoundPart) -> str:
    return f"{volume(one.volume_ml)}, longest diameter {millimetres(one.longest_mm)}"


def _words(wanted: Wanted, fitting: list[FoundPart], astray: list[FoundPart]) -> str:
    said = f"“{wanted.phrase}”"
    if not fitting and not astray:
        return f"Nothing was found for {said}; that does not speak against it."
    told = []
    if fitting:
        offered = fitting[:_MOST]
        rest = [f"{len(offered) - _TOLD} more"] if len(offered) > _TOLD else []
        places = listed([f"{one.place.name} ({_size(one)})" for one in offered[:_TOLD]] + rest)
        more = f"; {len(fitting) - _MOST} smaller parts are left out" if len(fitting) > _MOST else ""
        told.append(f"Found for {said}: {places}{more}.")
    if astray:
        sides = " and ".join(side.value for side in wanted.sides)
        where = listed([f"{one.side.value} ({one.place.spot})" for one in astray[:_TOLD] if one.side is not None])
        told.append(f"Not offered for {said}, because the sentence says {sides}: a part on the {where}.")
    return " ".join(told)
