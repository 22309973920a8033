"""What a model says of its own sentences, as both panels show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.edits import ChangeText
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence
from RegionReportLib.report.store import create_draft, open_draft
from RegionReportLib.review.highlight import Highlight
from RegionReportLib.review.model_words import agreement, agreement_explained, box_words, is_doubtful
from RegionReportLib.review.session import Session
from RegionReportLib.web.panel import panel

LABEL = "demonstration model, trained on phantoms, not for patients"
SPOT = Place("lungs", Box((-80, -20, 0), (-60, 0, 20)), (-70, -10, 10))
NODULE = Sentence(
    "m1", "There is a nodule.", ("lungs",),
    (Anchor(SPOT, AnchorSource.MODEL, 0.834, "", 11.6), Anchor(SPOT, AnchorSource.WORDING)),
    Polarity.PRESENT, Origin(Author.MODEL, "demo 01ab", LABEL), asked_about="lungs", support=0.344,
)  # fmt: skip


class Blind:
    """A viewer that shows nothing."""

    def point_at(self, highlight: Highlight) -> tuple[str, ...]:
        return ()

    def clear(self) -> None:
        return None


def test_a_low_agreement_has_a_sign_of_its_own() -> None:
    assert (agreement(NODULE), is_doubtful(NODULE)) == ("▽ agreement 0.34", True)
    sure = replace(NODULE, support=0.5)
    assert (agreement(sure), is_doubtful(sure)) == ("agreement 0.50", False)
    assert "Low: look twice" in agreement_explained(NODULE) and "Low" not in agreement_explained(sure)


def test_who_says_nothing_of_it_gets_no_number() -> None:
    silent = replace(NODULE, support=None, anchors=NODULE.anchors[1:])
    assert agreement(silent) == agreement_explained(silent) == ""
    assert not is_doubtful(silent) and box_words(silent) == ()


def test_a_box_of_the_model_says_where_how_sure_and_how_far_its_guesses_lie_apart() -> None:
    # x grows towards the patient's right: the point lies 70 mm to the left, 10 mm behind and 10 mm above the origin.
    where = "L 70, P 10, S 10; 20 × 20 × 20 mm"
    assert box_words(NODULE) == (f"Box of the model at {where}, existence 0.83, its guesses 12 mm apart",)


@pytest.mark.parametrize("edited", [False, True])
def test_the_page_is_told_all_of_it(tmp_path: Path, edited: bool) -> None:
    study = Study("ct.nii.gz", "0" * 64, Grid((9, 9, 9), np.eye(4)))
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    report = Report("r", study, coverage, {}, (SPOT,), (), (NODULE,), "region-tokens", "x", "now")
    create_draft(tmp_path / "draft", report)
    with open_draft(tmp_path / "draft", actor="Dr A") as draft:
        if edited:
            draft.apply(ChangeText("m1", "There is a small nodule."))
        (told,) = panel(Session(draft, Blind()))["regions"][0]["sentences"]
    assert told["author"] == ("demonstration model, edited" if edited else "demonstration model")
    assert told["by"].startswith(LABEL)
    # Of words that the reader changed the model has said nothing.
    assert (told["agreement"], told["doubtful"]) == (("", False) if edited else ("▽ agreement 0.34", True))
    assert len(told["boxes"]) == 1
