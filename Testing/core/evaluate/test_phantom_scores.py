"""Scores on patients that are known: every expected number is worked out by hand."""

from __future__ import annotations

import pytest

from RegionReportLib.evaluate.phantom_findings import FINDINGS
from RegionReportLib.evaluate.phantom_scores import (
    auroc,
    box_scores,
    expected_calibration_error,
    report_scores,
)
from RegionReportLib.imaging.box import Box

TRUE = {
    "lungs": "Nodule of 10 mm in the left upper lobe. Right pleural effusion. No pneumothorax.",
    "heart_great_vessels": "The heart is enlarged.",
}


def cube(x: float, y: float = 0.0, z: float = 0.0, edge: float = 10.0) -> Box:
    return Box((x, y, z), (x + edge, y + edge, z + edge))


def test_the_true_report_scores_full_marks() -> None:
    scores = report_scores([TRUE], [TRUE])
    assert scores.findings.micro.f1 == 1.0 and scores.findings.macro.f1 == 1.0
    assert (scores.findings.micro.support, scores.denied.percent) == (3, 0.0)
    # The node of the heart has no side: side is judged for nodule and effusion, size for the nodule.
    assert (scores.side.right, scores.side.total) == (2, 2)
    assert (scores.size.right, scores.size.total) == (1, 1)
    assert (scores.region.right, scores.region.total) == (3, 3)


def test_planted_errors_are_seen_each_by_its_score() -> None:
    wrong = {
        "lungs": "Nodule of 20 mm in the right upper lobe. No pleural effusion. Left pneumothorax.",
        "mediastinum": "The heart is enlarged.",
    }
    scores = report_scores([TRUE], [wrong])
    by_label = dict(zip(scores.findings.labels, scores.findings.by_label, strict=True))
    assert by_label["nodule"].true_positives == 1
    assert by_label["effusion"].false_negatives == 1
    assert by_label["pneumothorax"].false_positives == 1
    # Two hits, one false alarm, one miss: precision, recall and F1 are all 2/3.
    micro = scores.findings.micro
    assert micro.precision == pytest.approx(2 / 3) and micro.recall == pytest.approx(2 / 3)
    # nodule 1, cardiomegaly 1, effusion 0, pneumothorax 0, the other findings undefined
    assert scores.findings.macro.f1 == pytest.approx(0.5)
    assert (scores.side.right, scores.side.total) == (0, 1)
    assert (scores.size.right, scores.size.total) == (0, 1)
    assert (scores.region.right, scores.region.total) == (1, 2)
    assert (scores.denied.right, scores.denied.total) == (1, 3)


def test_an_empty_report_finds_nothing_and_denies_nothing() -> None:
    scores = report_scores([TRUE], [{}])
    assert scores.findings.micro.recall == 0.0 and scores.findings.micro.precision is None
    assert scores.denied.percent == 0.0 and scores.side.percent is None


def test_a_size_may_be_a_quarter_off() -> None:
    for size, right in ((12, 1), (13, 0), (8, 1), (7, 0)):
        said = {"lungs": f"Nodule of {size} mm in the left upper lobe."}
        assert report_scores([TRUE], [said]).size.right == right


def test_what_is_hedged_may_be_left_out_of_what_is_said() -> None:
    said = {"lungs": "Nodule or effusion in the pleura on the right."}
    assert report_scores([TRUE], [said]).findings.micro.true_positives == 2
    assert report_scores([TRUE], [said], hedged=False).findings.micro.true_positives == 0
    # The truth may be hedged: it is there.
    assert report_scores([said], [TRUE], hedged=False).findings.micro.true_positives == 2


def test_unequal_numbers_of_reports_are_refused() -> None:
    with pytest.raises(ValueError, match="got 0 and 1"):
        report_scores([TRUE], [])


def test_findings_are_scored_under_their_own_names() -> None:
    assert report_scores([TRUE], [TRUE]).findings.labels == FINDINGS


def test_boxes_are_matched_one_to_one_by_overlap() -> None:
    truth = [[cube(0), cube(100)], [cube(0)], []]
    # The first is met exactly; of the second half is met: IoU = 5 / 15. In the third patient a box is out of nothing.
    predicted = [[cube(105), cube(0)], [cube(50)], [cube(0)]]
    scores = box_scores(truth, predicted)
    assert scores.iou == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert (scores.hits.right, scores.hits.total) == (2, 3)
    assert (scores.extra.right, scores.extra.total) == (2, 4)


def test_an_overlap_under_three_tenths_is_no_hit() -> None:
    # Shifted by 6 of 10 mm: 4 / 16 = 0.25.
    scores = box_scores([[cube(0)]], [[cube(6)]])
    assert scores.iou == pytest.approx(0.25) and scores.hits.right == 0


def test_without_true_boxes_there_is_no_overlap_to_speak_of() -> None:
    assert box_scores([[]], [[]]).iou is None


def test_auroc_counts_pairs_and_half_of_the_ties() -> None:
    # Pairs (positive, negative): (0.9, 0.8) won, (0.9, 0.4) won, (0.4, 0.8) lost, (0.4, 0.4) tied: 2.5 of 4.
    assert auroc([0.9, 0.4, 0.8, 0.4], [True, True, False, False]) == pytest.approx(0.625)
    assert auroc([1.0, 2.0], [True, True]) is None
    with pytest.raises(ValueError, match="one length"):
        auroc([1.0], [True, False])


def test_calibration_error_weighs_bins_by_their_counts() -> None:
    # Two bins: 0..0.5 holds 0.2 and 0.4 of which one came (gap |1 - 0.6| / 2), 0.5..1 holds 0.9 that came (gap 0.1).
    error = expected_calibration_error([0.2, 0.4, 0.9], [True, False, True], bins=2)
    assert error == pytest.approx((0.4 + 0.1) / 3)
    assert expected_calibration_error([0.0, 1.0], [False, True]) == pytest.approx(0.0)
    assert expected_calibration_error([], []) is None
    with pytest.raises(ValueError, match=r"0\.\.1"):
        expected_calibration_error([1.2], [True])
