"""`regionreport find-places`: offered beside what is there, told where it is not, and refused with one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.cli.doctor import examine
from RegionReportLib.cli.main import main
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.store import view_draft
from RegionReportLib.segment.voxtell import PYTHON_VARIABLE

from voxtell_stand_in import report_folder, use_stand_in


def test_all_affirmed_sentences_get_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_stand_in(tmp_path, monkeypatch)
    folder = report_folder(tmp_path)
    assert main(["find-places", str(folder), "--name", "Dr A"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("imported-001: Found for “right nodule”: right lung (")
    assert told[-1] == "Looked for 2 sentences: places offered for 2. Undo takes it back."
    draft = view_draft(folder)
    sources = [[a.source for a in s.anchors].count(AnchorSource.VOXTELL) for s in draft.report.sentences]
    assert sources == [1, 0, 1, 0]
    last = draft.history()[-1].act
    assert (last.kind, last.actor) == ("offer_places", "Dr A")
    assert "VoxTell, weights 44136fa355b3" in json.dumps(last.data)

    assert main(["find-places", str(folder), "--sentence", "imported-003", "--json-progress"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["offered"] == 0  # the same again changes nothing
    assert lines[-1]["found"][0]["phrase"] == "left nodule"
    assert len(view_draft(folder).history()) == len(draft.history())


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--sentence", "imported-002"], 3, "affirms no finding"),
        (["--volume", "nowhere.nii.gz"], 3, "nowhere.nii.gz, is not there"),
        (["--model", "nowhere"], 4, "nowhere lacks voxtell_v1.1/plans.json"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str],
    code: int, why: str,
) -> None:  # fmt: skip
    use_stand_in(tmp_path, monkeypatch)
    folder = report_folder(tmp_path)
    assert main(["find-places", str(folder), *arguments]) == code
    told = capsys.readouterr().err.strip().splitlines()
    assert why in told[-1]


def test_the_doctor_says_whether_it_would_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_stand_in(tmp_path, monkeypatch)
    assert examine()["would_run"]["Finding places by words"] == "ready: VoxTell"
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path / "none"))
    assert "regionreport models fetch voxtell" in examine()["would_run"]["Finding places by words"]
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "no_python"))
    assert "there is no Python at" in examine()["would_run"]["Finding places by words"]
