"""A check made elsewhere joins in as data, and answers last as long as their contradiction."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.document import Report
from RegionReportLib.report.flags import FlagsFound, flags_from_dict, flags_to_dict, look_for_flags, with_flags
from RegionReportLib.report.sentence import Flag, FlagKind

UNIT = Flag(FlagKind.UNIT, "5 without a unit")
EMPTY = Flag(FlagKind.EMPTY_REGION, "no sentence on the airways", blocking=False)


def check(report: Report) -> Report:
    """Flag sentences with a 5, and the report as long as it has an s5."""
    sentences = tuple(replace(s, flags=(UNIT,) if "5" in s.text else ()) for s in report.sentences)
    return replace(report, sentences=sentences, flags=(EMPTY,) if "s5" in {s.id for s in sentences} else ())


def test_only_what_changed_is_found(drafted: Report) -> None:
    found = look_for_flags(drafted, check)
    assert found == FlagsFound((("s2", ()), ("s4", (UNIT,))), (EMPTY,))
    flagged = with_flags(drafted, found)
    assert flagged == check(drafted)
    assert look_for_flags(flagged, check) is None
    assert look_for_flags(drafted, None) is None


def test_an_answer_stays_while_its_contradiction_does(drafted: Report) -> None:
    flagged = check(drafted)
    answered = replace(UNIT, answer="it is a ratio")
    with_answer = flagged.with_sentences(
        replace(s, flags=(answered,)) if s.id == "s4" else s for s in flagged.sentences
    )
    assert look_for_flags(with_answer, check) is None
    resolved = with_answer.with_sentences(
        replace(s, text="Ratio normal.") if s.id == "s4" else s for s in with_answer.sentences
    )
    assert look_for_flags(resolved, check) == FlagsFound((("s4", ()),))


def test_found_flags_survive_the_round_trip_through_text(drafted: Report) -> None:
    for found in (FlagsFound((("s4", (UNIT, EMPTY)),), (EMPTY,)), FlagsFound((("s2", ()),))):
        assert flags_from_dict(json.loads(json.dumps(flags_to_dict(found)))) == found


def test_a_check_that_touches_more_than_flags_is_a_defect(drafted: Report) -> None:
    def meddles(report: Report) -> Report:
        return report.with_sentences(replace(s, viewed=True) for s in report.sentences)

    for defect in (meddles, lambda r: replace(r, notes=("x",)), lambda r: r.with_sentences(r.sentences[1:])):
        with pytest.raises(ValueError, match="flags only"):
            look_for_flags(drafted, defect)


def test_flags_for_unknown_sentences_are_refused(drafted: Report) -> None:
    with pytest.raises(InputRefused, match="unknown sentences s9"):
        with_flags(drafted, FlagsFound((("s9", ()),)))
