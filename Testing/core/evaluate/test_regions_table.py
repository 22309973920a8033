"""The scoreboard: what a reporter leaves out stands beside what it wrote."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from RegionReportLib.evaluate.findings import efficacy
from RegionReportLib.evaluate.regions_table import METRICS, WHOLE, score_reports
from RegionReportLib.evaluate.score_files import markdown, scores_json, write_finding_csv, write_region_csv
from RegionReportLib.evaluate.table import TextPair
from RegionReportLib.progress import Progress, finish

PAIRS = [
    TextPair("1", "lung", "the lungs are clear", "the lungs are normal"),
    TextPair("2", "lung", "one nodule is seen", None),
    TextPair("1", "heart", "the heart is large", "the heart is large"),
    TextPair("2", "heart", None, "the heart is normal"),
]


def test_missing_regions_count_and_invented_ones_too() -> None:
    whole, lung, heart = finish(score_reports(PAIRS, by_region=True)).rows
    assert (whole.region, lung.region, heart.region) == (WHOLE, "lung", "heart")
    assert (lung.in_reference, lung.in_prediction, lung.in_both) == (2, 1, 1)
    assert (lung.recall, lung.precision) == (0.5, 1.0)
    assert (heart.recall, heart.precision) == (1.0, 0.5)
    assert (whole.in_reference, whole.in_both) == (2, 2)


def test_scores_of_what_was_written_stand_beside_scores_of_all() -> None:
    _, lung, _ = finish(score_reports(PAIRS, by_region=True)).rows
    written, everything = lung.written.means["rouge_1"], lung.all_texts.means["rouge_1"]
    assert written is not None and everything is not None
    assert (written.mean, written.deviation, written.count) == (pytest.approx(0.75), 0.0, 1)
    assert (everything.mean, everything.deviation, everything.count) == (pytest.approx(0.375), pytest.approx(0.375), 2)
    edits = lung.all_texts.means["word_edit_rate"]
    assert edits is not None and edits.mean == pytest.approx((1 / 4 + 1) / 2)
    assert lung.written.corpus_bleu[0] == pytest.approx(4 / 5)
    # exp(1 - 8 / 4) * 4 / 5: the missing text lengthens the reference.
    assert lung.all_texts.corpus_bleu[0] == pytest.approx(0.294304, abs=1e-6)


def test_cider_weighs_by_the_texts_that_are_scored() -> None:
    _, lung, _ = finish(score_reports(PAIRS, by_region=True)).rows
    assert lung.written.means["cider"] is None  # one text alone
    assert lung.all_texts.means["cider"] is not None


def test_whole_reports_are_scored_without_regions_too() -> None:
    plain = [TextPair(p.case, None, p.reference, p.prediction) for p in PAIRS[:2]]
    (row,) = finish(score_reports(plain, by_region=False)).rows
    assert row.in_reference == 2 and row.recall == 0.5
    with pytest.raises(ValueError, match="without a region"):
        finish(score_reports(plain, by_region=True))


def test_a_set_without_references_has_no_scores() -> None:
    (row,) = finish(score_reports([TextPair("1", None, None, "words")], by_region=False)).rows
    assert row.recall is None and row.precision == 0.0
    assert set(row.written.means) == set(METRICS) and not any(row.written.means.values())
    assert row.written.corpus_bleu == (None,) * 4


def test_progress_moves_on_and_names_what_is_scored() -> None:
    seen: list[Progress] = []
    finish(score_reports(PAIRS * 10, by_region=True), seen.append)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert {p.stage for p in seen} == {"scoring whole report", "scoring lung", "scoring heart"}


def test_files_leave_the_undefined_empty_and_keep_no_words_of_reports(tmp_path: Path) -> None:
    board = finish(score_reports(PAIRS, by_region=True))
    write_region_csv(tmp_path / "r.csv", board)
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["region"], row["over"]): row for row in csv.DictReader(file)}
    assert rows["lung", "written"]["cider_mean"] == ""
    written = rows["lung", "written"]
    assert (float(written["rouge_1_mean"]), float(written["rouge_1_std"])) == (pytest.approx(0.75), 0.0)
    assert float(rows["lung", "all"]["rouge_1_mean"]) == pytest.approx(0.375)
    assert float(written["corpus_bleu_1"]) == pytest.approx(4 / 5)
    assert float(written["corpus_bleu_4"]) == pytest.approx(0.668740, abs=1e-6)
    assert rows["lung", "written"]["region_recall"] == "0.5"
    value = scores_json(board, None)["texts"]
    assert value["rows"][1]["written"]["cider"] is None
    assert value["packages"]["sacrebleu"] and "13a" in value["definitions"]["bleu"]
    text = markdown(board, None)
    lines = text.splitlines()
    below = lines[next(n for n, line in enumerate(lines) if line.startswith("| lung ")) + 1]
    assert below.startswith("|  |  |  |  | all | 0.4000 ± 0.4000 |")
    assert sum(" all " in line for line in lines if line.startswith("|")) == 1  # only where something is missing
    assert "| lung | 2 | 0.5000 | 1.0000 | written |" in text and "nodule" not in text + str(value)


def test_a_region_named_with_a_bar_makes_no_column() -> None:
    board = finish(score_reports([TextPair("1", "a|b", "x", "x"), TextPair("2", "a|b", "y", "x")], by_region=True))
    lines = [line for line in markdown(board, None).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_findings_are_written_by_label_and_average(tmp_path: Path) -> None:
    found = efficacy([[1, 0], [1, 0]], [[1, 0], [0, 0]], ("nodule", "effusion"))
    write_finding_csv(tmp_path / "f.csv", found)
    lines = (tmp_path / "f.csv").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["finding,precision,recall,F1,support", "nodule,1.0,0.5,0.6666666666666666,2", "effusion,,,,0"]
    assert [line.split(",")[0] for line in lines[3:]] == ["micro", "macro", "weighted"]
    assert "| effusion | - | - | - | 0 |" in markdown(None, found)
    # T = 4, A = 2, w = 1/2, S = 1, sum = 0: 1 / 2.
    assert scores_json(None, found)["findings"]["crg"] == pytest.approx(0.5)
