"""An addendum is a new draft that names what it adds to; a report that is not what was signed carries none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import Conflict
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.place import Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence, Verdict
from RegionReportLib.report.signing import sign
from RegionReportLib.report.store import open_draft
from RegionReportLib.review.addendum import begin_addendum

NOON = datetime(2026, 3, 1, 13, 0, tzinfo=timezone(timedelta(hours=1)))
LUNGS = Place("lungs", Box((-120, -80, -100), (120, 80, 120)), (60, 0, 0))


@pytest.fixture
def signed() -> Report:
    grid = Grid((100, 100, 100), np.diag([3.0, 3.0, 3.0, 1.0]))
    words = Sentence("a", "Clear.", ("lungs",), (), Polarity.PRESENT, Origin(Author.READER), placeless=True)
    report = Report(
        "first", Study("ct.nii.gz", "0" * 64, grid), dict.fromkeys(REGION_IDS, Coverage.COMPLETE), {}, (LUNGS,), (),
        (replace(words, verdict=Verdict.ACCEPTED),), "measured", "classical", "2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    return sign(report, "Dr A", "2026-01-02T00:00:00+00:00")


def test_an_addendum_is_an_empty_draft_on_the_disk_that_names_the_signed_report(signed: Report, tmp_path: Path) -> None:
    made = begin_addendum(signed, tmp_path / "new", actor="Dr B", at=NOON)
    with open_draft(tmp_path / "new", actor="Dr B") as draft:
        assert draft.report == made
        assert draft.history()[0].act.actor == "Dr B"
    assert (made.predecessor, made.sentences, made.created_at) == ("first", (), "2026-03-01T12:00:00.000+00:00")
    assert (made.places, made.study) == (signed.places, signed.study)
    assert "first" in made.notes[0] and "Dr A" in made.notes[0]


def test_two_addenda_to_one_report_are_two_reports(signed: Report, tmp_path: Path) -> None:
    one = begin_addendum(signed, tmp_path / "one", actor="Dr B", at=NOON)
    other = begin_addendum(signed, tmp_path / "other", actor="Dr B", at=NOON + timedelta(seconds=1))
    assert len({signed.id, one.id, other.id}) == 3
    with pytest.raises(Conflict, match="holds a draft already"):
        begin_addendum(signed, tmp_path / "one", actor="Dr B")


def test_what_is_not_signed_or_not_what_was_signed_carries_none(signed: Report, tmp_path: Path) -> None:
    changed = replace(signed, notes=("changed",))
    for wrong in (changed, replace(signed, status=type(signed.status).DRAFT, signature=None)):
        with pytest.raises(Conflict):
            begin_addendum(wrong, tmp_path / "none", actor="Dr B")
    assert not (tmp_path / "none").exists()
