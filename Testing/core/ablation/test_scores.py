"""The scores of two patients made by hand, and what makes a part earn its place."""

from __future__ import annotations

import pytest

from RegionReportLib.ablation.rows import ALL, MEASURED, NORMAL, rows_named
from RegionReportLib.ablation.scores import Ablation, PartScores, claim_scores, score
from RegionReportLib.ablation.tables import ablation_json, findings_markdown, markdown
from RegionReportLib.ablation.told import PatientRecord
from RegionReportLib.evaluate.intervals import Interval
from RegionReportLib.progress import finish


@pytest.fixture
def found(records: list[PatientRecord]) -> Ablation:
    return finish(score(records, rows_named(["no-mask"])))


def test_findings_are_counted_over_all_patients(found: Ablation) -> None:
    # Nodule and effusion are named, the heart is denied: two hits, one miss, no false alarm.
    row = found.row(ALL)
    micro = row.reports.findings.micro
    assert (micro.precision, micro.recall, micro.f1) == (1.0, pytest.approx(2 / 3), pytest.approx(4 / 5))
    assert row.measured["f1"] is not None and row.measured["f1"].value == pytest.approx(4 / 5)
    assert (row.reports.side.right, row.reports.side.total) == (1, 2)
    assert (row.reports.denied.right, row.reports.denied.total) == (1, 3)
    # Nodule right; heart and the side of the effusion wrong; the ribs are no claim.
    assert row.wrong == (2, 3)
    assert (row.sentences, row.seconds) == (4, 4.0)


def test_boxes_and_their_confidence_are_counted_over_all_patients(found: Ablation) -> None:
    row = found.row(ALL)
    # Cube 2 lies on cube 0 by 8/12; nothing lies on the effusion; cube 100 is extra, cube 200 is not shown.
    assert (row.boxes.hits.right, row.boxes.hits.total) == (1, 2)
    assert row.boxes.iou == pytest.approx(1 / 3)
    assert (row.boxes.extra.right, row.boxes.extra.total) == (1, 2)
    assert [b.hits.total for b in row.existence.bins] == [0, 1, 0, 0, 0, 0, 0, 1, 1, 0]
    assert row.existence.error == pytest.approx((0.2 + 0.8 + 0.1) / 3)


def test_support_puts_the_right_sentence_above_the_wrong_ones(found: Ablation) -> None:
    assert found.row(ALL).own_auroc == 1.0  # 0.9 against 0.2 and 0.5; the ribs (0.1) claim nothing
    assert found.row(MEASURED).own_auroc is None and found.row(MEASURED).seconds is None


def test_claims_are_scored_by_kind(records: list[PatientRecord]) -> None:
    claims = claim_scores(records)
    # True 0.8 and 0.4; side 0.3 lies under both, added 0.6 under one.
    assert claims.kinds == {"added": (1, 0.5), "side": (1, 1.0)}
    assert (claims.true, claims.auroc) == (2, 0.75)
    # Each alone in its bin: 0.8 → 1, 0.4 → 1, 0.3 → 0, 0.6 → 0.
    assert claims.error == pytest.approx((0.2 + 0.6 + 0.3 + 0.6) / 4)


def test_a_row_is_compared_with_the_full_model_on_the_same_patients(found: Ablation) -> None:
    # Without masks only the nodule is named, with a hedge: TP 1, FN 2, F1 1/2.
    row = found.row("no-mask")
    assert row.measured["f1"] is not None and row.measured["f1"].value == pytest.approx(1 / 2)
    assert row.plain.micro.f1 == 0.0
    change = row.change["f1"]
    assert change is not None and change.value == pytest.approx(1 / 2 - 4 / 5)
    # With one patient twice: 2/3 - 2/3 = 0 for the first, 0 - 1 for the second.
    assert (change.low, change.high) == (-1.0, 0.0)
    assert found.row(ALL).change["f1"] is None
    part = {one.title: one for one in found.parts}["mask tokens"]
    assert part.alone["f1"] is not None and part.alone["f1"].value == pytest.approx(4 / 5 - 1 / 2)
    assert part.step["f1"] is None and part.verdict == "not shown to earn its place"


def test_the_baselines_score_what_a_hand_counts(found: Ablation) -> None:
    # "No nodule." of both, or for the second patient the effusion with its side.
    normal, measured = found.row(NORMAL), found.row(MEASURED)
    assert normal.reports.findings.micro.precision is None and normal.reports.findings.micro.recall == 0.0
    assert (normal.reports.denied.right, normal.reports.denied.total) == (1, 3)
    assert measured.reports.findings.micro.recall == pytest.approx(1 / 3)
    assert measured.reports.findings.micro.f1 == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        (Interval(0.04, 0.01, 0.07), "earns its place"),
        (Interval(0.04, -0.01, 0.09), "not shown to earn its place"),
        (Interval(-0.04, -0.09, -0.01), "costs more than it gives"),
        (None, "not run"),
    ],
)
def test_a_part_earns_its_place_only_if_the_interval_excludes_nought(interval: Interval | None, verdict: str) -> None:
    assert PartScores("part", {"f1": interval}, {"f1": None}).verdict == verdict


def test_the_tables_say_what_was_counted_and_a_dash_for_what_is_undefined(found: Ablation) -> None:
    text = markdown(found)
    (full,) = [line for line in text.splitlines() if line.startswith("| + finding") and "0.800" in line]
    assert full.startswith("| + finding token = all parts | 1.000 | 0.667 | 0.800 (0.667 to 1.000) | - |")
    assert full.endswith("| 33.3 | 66.7 |")
    assert "| normal template | - | 0.000 | 0.000 (0.000 to 0.000) |" in text
    assert "| side | 1 | 1.000 |" in text and "| all | 2 | 0.750 |" in text
    assert "| 0.8-0.9 | 1 | 0.900 | 100.0 |" in text
    assert "| cardiomegaly | 1 | - | 0.000 | 0.000 | - | 0.000 | 0.000 |" in findings_markdown(found)
    value = ablation_json(found)
    assert value["rows"]["all"]["boxes"]["hits"] == [1, 2] and value["rows"]["normal"]["own_auroc"] is None
    assert value["patients"] == 2 and value["first"] == 7


def test_scoring_the_same_records_again_gives_the_same(records: list[PatientRecord]) -> None:
    one, two = (finish(score(records, rows_named(["no-mask"]))) for _ in range(2))
    assert ablation_json(one) == ablation_json(two) and markdown(one) == markdown(two)
