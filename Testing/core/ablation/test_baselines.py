"""The normal template denies everything and knows nothing; the measured writer says what it measures."""

from __future__ import annotations

import pytest

from RegionReportLib.ablation.baselines import measured_report, normal_template
from RegionReportLib.ablation.told import ToldReport
from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.evaluate.phantom_findings import FINDINGS, Status
from RegionReportLib.evaluate.phantom_scores import read_report, report_scores
from RegionReportLib.measure.examine import measure
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Detail, Finding, FindingKind, Recipe, Scan
from RegionReportLib.progress import finish


@pytest.fixture(scope="module")
def patient() -> PhantomCase:
    """A patient with 900 mL of fluid on the right, the lung beneath it airless, and a node that nobody measures."""
    findings = (Finding(FindingKind.EFFUSION, 900, Side.RIGHT), Finding(FindingKind.LYMPHADENOPATHY, 22))
    return finish(make_case(Recipe(31, findings, Scan.coarse((40, 64, 64)), detail=Detail.COARSE)))


@pytest.fixture(scope="module")
def measured(patient: PhantomCase) -> ToldReport:
    return measured_report(patient, finish(measure(patient.volume, patient.masks)))


def truth(patient: PhantomCase) -> dict[str, str]:
    return {region: text.text for region, text in patient.texts.items()}


def test_the_template_denies_each_finding_once_in_its_region() -> None:
    template = normal_template()
    read = read_report(template.texts)
    assert read.status == dict.fromkeys(FINDINGS, Status.ABSENT)
    assert list(template.texts) == list(REGION_IDS)
    assert template.texts["mediastinum"] == "No enlarged mediastinal lymph nodes are seen. No hiatal hernia."


def test_the_template_finds_nothing_and_denies_all_that_is_there(patient: PhantomCase) -> None:
    scores = report_scores([truth(patient)], [normal_template().texts])
    micro = scores.findings.micro
    assert (micro.true_positives, micro.false_positives, micro.false_negatives) == (0, 0, 3)
    assert (scores.denied.right, scores.denied.total) == (3, 3)


def test_the_measured_writer_finds_fluid_and_airless_lung_with_their_side(
    patient: PhantomCase, measured: ToldReport
) -> None:
    # Of "consolidation, atelectasis or mass" one is there and two are not; the node is missed.
    scores = report_scores([truth(patient)], [measured.texts])
    micro = scores.findings.micro
    assert (micro.true_positives, micro.false_positives, micro.false_negatives) == (2, 2, 1)
    assert (scores.side.right, scores.side.total) == (2, 2)
    assert scores.denied.right == 0  # it never denies what nobody looked for
    plain = report_scores([truth(patient)], [measured.texts], hedged=False).findings.micro
    assert (plain.true_positives, plain.false_positives, plain.false_negatives) == (1, 0, 2)


def test_only_what_affirms_a_finding_has_a_box(measured: ToldReport) -> None:
    boxed = [s for s in measured.sentences if s.boxes]
    assert [s.text.partition(" of ")[0].partition(" at ")[0] for s in boxed] == ["Dense lung", "Right pleural fluid"]
    assert all(one.confidence == 1.0 for s in boxed for one in s.boxes)
