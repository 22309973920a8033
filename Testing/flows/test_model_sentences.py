"""What a model wrote becomes sentences: split, tied, with the measurements that agree, and honest about the rest."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, region
from RegionReportLib.draft.model_sentences import (
    Said,
    coverage_sentence,
    in_report_order,
    note_sentence,
    said_sentences,
    unsaid_sentence,
)
from RegionReportLib.draft.writer import Seen
from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import finish
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Origin, Polarity

ORIGIN = Origin(Author.MODEL, "A model 0123456789ab")
GRID = Grid((20, 24, 30), np.array([[-5, 0.4, 0, 70], [0.3, 5.5, 1, -60], [0, -0.6, 7.5, -80], [0, 0, 0, 1]]))
BLOCKS = {
    "lung_right": (slice(4, 18), slice(4, 20), slice(2, 11)),
    "lung_left": (slice(4, 18), slice(4, 20), slice(19, 28)),
    "esophagus": (slice(6, 16), slice(6, 8), slice(14, 16)),
    "mediastinum": (slice(6, 16), slice(9, 13), slice(12, 18)),
    "heart_great_vessels": (slice(5, 10), slice(13, 18), slice(12, 18)),
}


def fluid(number: int, side: Side, value: float) -> Measurement:
    return Measurement(f"m{number}", "fluid_volume", "lungs", value, "mL", "test", side=side)


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Blocks on an oblique grid, 300 mL of fluid on the right and 2 mL on the left."""
    labels = np.zeros(GRID.shape_kji, np.uint8)
    for number, where in enumerate(BLOCKS.values(), start=1):
        labels[where] = number
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    coverage |= {"upper_abdomen": Coverage.ABSENT, "bones": Coverage.PARTIAL}
    masks = RegionMasks(labels, GRID, tuple(BLOCKS), "blocks 1", coverage, {"bones": "cut at the top."})
    volume = Volume(np.zeros(GRID.shape_kji, np.int16), GRID, Provenance("", "test"))
    measured = (
        fluid(1, Side.RIGHT, 300.0),
        fluid(2, Side.LEFT, 2.0),
        Measurement("m3", "cardiothoracic_ratio", "heart_great_vessels", 0.58, "1", "test"),
        Measurement("m4", "cardiothoracic_ratio", "heart_great_vessels", None, "1", "test", reason="unknown"),
    )
    return Seen(volume, masks, finish(places_of(masks)), measured)


def sentences(seen: Seen, text: str, region_id: str = "lungs", **more: object) -> list:  # type: ignore[type-arg]
    return list(said_sentences(Said("x", region_id, "lungs", text, **more), seen, ORIGIN))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "region_id", "evidence"),
    [
        ("There is a right pleural effusion.", "lungs", ("m1",)),
        ("No left pleural effusion.", "lungs", ("m2",)),
        ("No pleural effusion.", "lungs", ("m2",)),  # the right side speaks against it and is no evidence for it
        ("There is a left pleural effusion.", "lungs", ()),
        ("The heart is enlarged, cardiomegaly.", "heart_great_vessels", ("m3",)),
        ("No cardiomegaly.", "heart_great_vessels", ()),
        ("The lungs are clear.", "lungs", ()),
    ],
)
def test_only_measurements_that_agree_are_evidence(
    seen: Seen, text: str, region_id: str, evidence: tuple[str, ...]
) -> None:
    (sentence,) = sentences(seen, text, region_id)
    assert sentence.evidence == evidence
    assert sentence.origin == ORIGIN


def test_words_decide_about_the_place_and_what_was_shown_where_they_do_not(seen: Seen) -> None:
    named, unnamed = sentences(seen, "There is a nodule in the left lung. Everything is ordinary.")
    assert {(a.place.side, a.source) for a in named.anchors} == {(Side.LEFT, AnchorSource.WORDING)}
    (whole,) = unnamed.anchors
    assert (whole.place.name, whole.source) == ("lungs", AnchorSource.MODEL)
    assert whole.note == "no place named; the model was shown the lungs"
    (narrow,) = sentences(seen, "Calibre is normal.", "mediastinum", structure="esophagus")
    assert [a.place.structure for a in narrow.anchors] == ["esophagus"]
    (elsewhere,) = sentences(seen, "The heart is enlarged.")
    assert elsewhere.regions == ("heart_great_vessels",)


def test_in_doubt_only_words_tie(seen: Seen) -> None:
    named, unnamed = sentences(seen, "Nodule in the left lung. Everything is ordinary.", doubt="mistaken")
    assert named.anchors
    assert unnamed.anchors == ()
    assert not unnamed.placeless  # its place is unknown, which is not the same as having none
    assert unnamed.regions == ("lungs",)


def test_half_a_sentence_is_not_reported_where_the_text_was_cut(seen: Seen) -> None:
    text = "There is a nodule in the left lung. No pleural effu"
    assert [s.text for s in sentences(seen, text, whole=False)] == ["There is a nodule in the left lung."]
    assert len(sentences(seen, text)) == 2  # the model itself ended there
    assert len(sentences(seen, "Clear. Normal.", whole=False)) == 2
    assert sentences(seen, " ... ") == []


def test_what_the_scan_does_not_hold_is_said_and_nothing_else(seen: Seen) -> None:
    absent = coverage_sentence(region("upper_abdomen"), seen)
    assert absent is not None
    assert absent.text == "Upper abdomen not covered by this scan."
    assert absent.placeless
    assert unsaid_sentence(region("upper_abdomen"), ["upper abdomen (not segmented)"], seen) is None
    partial = coverage_sentence(region("bones"), seen)
    assert partial is not None
    assert partial.text == "Osseous structures only partly covered by this scan: cut at the top."
    assert coverage_sentence(region("lungs"), seen) is None
    unsaid = unsaid_sentence(region("mediastinum"), ["oesophagus (why)", "thyroid gland (why)"], seen)
    assert unsaid is not None
    assert unsaid.text == "Not assessed: oesophagus (why); thyroid gland (why)."
    assert (unsaid.polarity, unsaid.origin.author) == (Polarity.UNCERTAIN, Author.MEASURED)
    assert [a.place.region_id for a in unsaid.anchors] == ["mediastinum"]
    assert unsaid_sentence(region("lungs"), [], seen) is None


def test_sentences_stand_under_the_region_that_they_are_about(seen: Seen) -> None:
    heart = sentences(seen, "The heart is enlarged.")[0]
    lungs = note_sentence("n", "A remark.", region("lungs"))
    assert [s.id for s in in_report_order((heart, lungs))] == ["n", "x-1"]
    unsaid = unsaid_sentence(region("bones"), ["breast (why)"], seen)
    coverage = coverage_sentence(region("bones"), seen)
    late = sentences(seen, "The vertebrae are intact.", "bones")[0]
    assert unsaid is not None
    assert coverage is not None
    assert [s.id for s in in_report_order((unsaid, coverage, late))] == ["bones-coverage", "x-1", "bones-unsaid"]
