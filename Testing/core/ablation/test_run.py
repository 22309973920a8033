"""The whole ablation with a network whose words are known: what is written, going on after a stop, processes."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from RegionReportLib.ablation.journal import PATIENTS, Journal
from RegionReportLib.ablation.order import Order
from RegionReportLib.ablation.processes import records_by
from RegionReportLib.ablation.rows import ALL, MEASURED, NORMAL
from RegionReportLib.ablation.run import ablate
from RegionReportLib.ablation.scores import Ablation
from RegionReportLib.ablation.told import PatientRecord, ToldReport
from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.errors import InputRefused
from RegionReportLib.phantom.study import training_case
from RegionReportLib.progress import Progress, finish
from RegionReportLib.train.recipe import Data

from .conftest import FIRST, SHAPE
from known_words import CLEAR
from known_words import NODULE as SAID


@pytest.fixture(scope="module")
def run(model: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ablation, Path, list[Progress]]:
    """An ablation over three patients that nothing disturbed."""
    folder = tmp_path_factory.mktemp("run")
    told: list[Progress] = []
    order = Order(model, Data(shape_kji=SHAPE, evenness=1.0), FIRST, 3, ("even", "all", "no-mask"), cache)
    return finish(ablate(order, folder), told.append), folder, told


def timeless(folder: Path) -> list[PatientRecord]:
    """The records of a run without what no two runs share."""
    out = []
    for record in Journal(folder).records().values():
        reports = {row: ToldReport(report.sentences) for row, report in record.reports.items()}
        out.append(replace(record, reports=reports))
    return out


def test_each_patient_is_written_about_in_each_way(run: tuple[Ablation, Path, list[Progress]]) -> None:
    records = timeless(run[1])
    assert [record.seed for record in records] == [41, 42, 43]
    for record in records:
        assert set(record.reports) == {"even", "all", "no-mask", NORMAL, MEASURED}
        for row in ("even", "all", "no-mask"):
            said = [(s.region_id, s.text) for s in record.reports[row].sentences]
            assert said == [(region, text) for region in REGION_IDS for text in (SAID, CLEAR)]
            assert all(s.support is not None for s in record.reports[row].sentences)
            assert [len(s.boxes) for s in record.reports[row].sentences] == [2, 0] * 6


def test_truth_and_judgement_are_those_of_the_phantoms(run: tuple[Ablation, Path, list[Progress]]) -> None:
    found, folder, _ = run
    nodules = effusions = planted = 0
    for record in timeless(folder):
        phantom = training_case(record.seed, SHAPE, evenness=1.0)
        assert [s.text for s in record.truth] == [s.text for t in phantom.texts.values() for s in t.sentences]
        kinds = {lesion.planted.kind.value for lesion in phantom.lesions}
        left = any(x.planted.kind.value == "nodule" and x.planted.side.value == "left" for x in phantom.lesions)
        assert {s.wrong for s in record.reports[ALL].sentences if s.text == CLEAR} == {"effusion" in kinds}
        assert {s.wrong for s in record.reports[ALL].sentences if s.text == SAID} == {not left}
        nodules, effusions, planted = (
            nodules + ("nodule" in kinds),
            effusions + ("effusion" in kinds),
            planted + len(kinds),
        )
        assert {claim.kind for claim in record.claims} >= {"true", "other patient", "added"}
    micro = found.row(ALL).reports.findings.micro
    assert (micro.true_positives, micro.false_positives, micro.support) == (nodules, 3 - nodules, planted)
    assert found.row(ALL).reports.denied.right == effusions
    assert planted > 0


def test_what_is_told_of_the_way_goes_from_nothing_to_all(run: tuple[Ablation, Path, list[Progress]]) -> None:
    fractions = [progress.fraction for progress in run[2]]
    assert fractions == sorted(fractions) and fractions[0] < 0.05 and fractions[-1] > 0.97


def test_a_run_that_was_stopped_goes_on_to_the_same_result(
    run: tuple[Ablation, Path, list[Progress]], order: Order, tmp_path: Path
) -> None:
    work = ablate(order, tmp_path)
    while not Journal(tmp_path).records():
        next(work)
    work.close()
    done = len(Journal(tmp_path).records())
    assert 0 < done < 3
    with (tmp_path / PATIENTS).open("a") as file:
        file.write('{"seed": 43, "tru')  # a crash in the middle of a line
    again = finish(ablate(order, tmp_path))
    assert timeless(tmp_path) == timeless(run[1])
    assert again.row(ALL).measured == run[0].row(ALL).measured
    before = (tmp_path / PATIENTS).read_bytes()
    finish(ablate(order, tmp_path))
    assert (tmp_path / PATIENTS).read_bytes() == before  # nothing is written twice
    with pytest.raises(InputRefused, match="another rows"):
        next(ablate(replace(order, rows=("all",)), tmp_path))


@pytest.mark.slow
def test_processes_share_the_patients_and_come_to_the_same(
    run: tuple[Ablation, Path, list[Progress]], order: Order, tmp_path: Path
) -> None:
    finish(ablate(order, tmp_path, jobs=2))
    assert timeless(tmp_path) == timeless(run[1])
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_a_process_that_fails_says_why_and_none_is_left(order: Order, tmp_path: Path) -> None:
    work = records_by(replace(order, model=tmp_path), ((0, 1),), 1)
    with pytest.raises(RuntimeError, match="NeedMissing: no trained network"):
        while True:
            next(work)
    assert not multiprocessing.active_children()


def test_patients_are_handed_out_in_pairs_that_lend_each_other_sentences(order: Order) -> None:
    assert order.pairs(()) == ((0, 1), (2,))
    assert order.pairs({FIRST, FIRST + 2}) == ((1,),)
    assert order.pairs(range(FIRST, FIRST + 3)) == ()
