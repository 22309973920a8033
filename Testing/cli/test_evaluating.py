"""`regionreport evaluate` as a user meets it: tables in, scores out, one line for what cannot be scored."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.evaluate.findings import LABELS

REFERENCE = (
    "case,region,text\n1,lung,The lungs are clear.\n1,heart,The heart is large.\n"
    "2,lung,One nodule is seen.\n2,heart,The heart is normal.\n"
)
PREDICTION = "case,region,text\n1,lung,The lungs are normal.\n1,heart,The heart is large.\n2,heart,Normal heart.\n"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "a.csv").write_text(REFERENCE, encoding="utf-8")
    (tmp_path / "b.csv").write_text(PREDICTION, encoding="utf-8")
    return "--reference", str(tmp_path / "a.csv"), "--prediction", str(tmp_path / "b.csv")


def labels(path: Path, *rows: str) -> str:
    lines = [",".join(("VolumeName", *LABELS)), *(row + ",0" * (18 - row.count(",")) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["evaluate", *words]) == 3
    out, err = capsys.readouterr()
    lines = err.strip().splitlines()
    assert not out and len(lines) == 1 and lines[0].startswith("regionreport: error: ")
    return lines[0]


def test_scores_by_region_are_printed_and_written(
    tables: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert main(["evaluate", *tables, "--by-region", "-o", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed == (folder / "scores.md").read_text(encoding="utf-8")
    assert "| lung | 2 | 0.5000 | 1.0000 | written | 0.8333 ± 0.0000 |" in printed  # 5 of 6 with one added
    assert {f.name for f in folder.iterdir()} == {"scores.md", "scores.json", "scores.csv", "texts.csv"}
    rows = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["texts"]["rows"]
    assert [(r["region"], r["recall"]) for r in rows] == [("whole report", 1.0), ("lung", 0.5), ("heart", 1.0)]
    with (folder / "texts.csv").open(encoding="utf-8", newline="") as file:
        texts = {(t["case"], t["region"]): t for t in csv.DictReader(file)}
    assert texts["2", "lung"]["missing"] == "1" and float(texts["2", "lung"]["rouge_l"]) == 0.0
    assert float(texts["1", "heart"]["exact"]) == 1.0


def test_published_pairs_and_labels_are_scored_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = tmp_path / "lung_reports.csv"
    pairs.write_text("AccNum,GT_combined_report,Pred_combined_report\n1,Clear.,Clear.\n2,One.,Two.\n", encoding="utf-8")
    truth = labels(tmp_path / "t.csv", "1.nii.gz,1", "2.nii.gz,1,1", "3.nii.gz,1")
    said = labels(tmp_path / "p.csv", "1,1", "2,0,0,1")
    words = ("--pairs", str(pairs), "--reference-labels", truth, "--prediction-labels", said, "-o", str(tmp_path / "o"))
    assert main(["evaluate", *words]) == 0
    assert "| Medical material | 1.0000 | 0.3333 | 0.5000 | 3 |" in capsys.readouterr().out
    found = json.loads((tmp_path / "o" / "scores.json").read_text(encoding="utf-8"))["findings"]
    assert found["count"] == 3  # a report that was never written names no finding
    assert found["scores"]["micro"]["precision"] == pytest.approx(1 / 2)
    assert found["scores"]["micro"]["recall"] == pytest.approx(1 / 4)
    assert (tmp_path / "o" / "findings.csv").is_file()


def test_progress_can_be_followed_by_programs(tables: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *tables, "--json-progress"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["stage"] == "scoring whole report" and "scores" in lines[-1]


def test_what_cannot_be_scored_is_said_in_one_line(
    tables: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nothing to score" in refusal(capsys)
    assert "needed together" in refusal(capsys, *tables[:2])
    assert "not both" in refusal(capsys, *tables, "--pairs", tables[1])
    assert "no column named reference" in refusal(capsys, "--pairs", tables[1])
    assert "No such file" in refusal(capsys, "--pairs", str(tmp_path / "none.csv"))
    plain = tmp_path / "plain.csv"
    plain.write_text("case,reference,prediction\n1,a,b\n", encoding="utf-8")
    assert "--by-region needs" in refusal(capsys, "--pairs", str(plain), "--by-region")
    plain.write_text("case,reference,prediction\n1,,b\n", encoding="utf-8")
    assert "no words at all" in refusal(capsys, "--pairs", str(plain))
    truth, said = labels(tmp_path / "t.csv", "1,1"), labels(tmp_path / "p.csv", "2,1")
    assert "no case in common" in refusal(capsys, "--reference-labels", truth, "--prediction-labels", said)
    assert "needed together" in refusal(capsys, "--reference-labels", truth)


def test_a_missing_package_is_named_with_the_way_to_get_it(tables: tuple[str, ...]) -> None:
    probe = "import sys; sys.modules['sacrebleu'] = None; from RegionReportLib.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", probe, "evaluate", *tables]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 4
    wanted = "scoring needs the package sacrebleu: pip install 'regionreport[evaluate]'"
    assert done.stderr == f"regionreport: error: {wanted}\n"
