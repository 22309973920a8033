"""Drafting into a folder that holds a report: what a reader did, or holds open, is not lost by accident."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.export.formats import FORMATS
from RegionReportLib.report.edits import Accept
from RegionReportLib.report.journal import JOURNAL_NAME
from RegionReportLib.report.store import open_draft, view_draft
from RegionReportLib.report.verify import verify


@pytest.fixture
def folder(drafted: Path, tmp_path: Path) -> Path:
    """A draft of which one sentence was accepted."""
    shutil.copytree(drafted, tmp_path / "draft")
    with open_draft(tmp_path / "draft", actor="reader") as draft:
        draft.apply(Accept(draft.report.sentences[0].id))
    return tmp_path / "draft"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def test_a_draft_that_a_reader_worked_on_is_replaced_only_when_asked_for(
    folder: Path, scan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(folder)
    assert main(["draft", str(scan), "-o", str(folder)]) == 3
    assert "--overwrite to lose it" in capsys.readouterr().err
    assert content(folder) == before
    exported = {name for one in FORMATS for name in (one.file_name, one.also) if name} - set(before)
    assert len(exported) == 4
    for name in (*exported, "notes.txt"):
        (folder / name).write_text("of the old report")
    assert main(["draft", str(scan), "-o", str(folder), "--overwrite"]) == 0
    assert set(content(folder)) == {*before, "notes.txt"}  # no export of the old one is left to be sent
    assert len(view_draft(folder).history()) == 1
    assert not [finding for finding in verify(folder) if finding.serious]


def test_a_draft_that_is_open_elsewhere_is_not_replaced_even_when_asked_for(
    folder: Path, scan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_draft(folder, actor="Dr. Elsewhere") as draft:
        before = content(folder)
        assert main(["draft", str(scan), "-o", str(folder), "--overwrite"]) == 3
        told = capsys.readouterr().err
        assert "is being edited by Dr. Elsewhere" in told and told.count("\n") == 1
        assert content(folder) == before
        draft.apply(Accept(draft.report.sentences[1].id))  # the other goes on as if nothing had been
    assert len(view_draft(folder).history()) == 3


def test_a_report_that_was_imported_to_be_read_is_not_replaced_unasked(
    folder: Path, scan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / JOURNAL_NAME).unlink()  # a signed report that was imported has no trail
    before = content(folder)
    assert main(["draft", str(scan), "-o", str(folder)]) == 3
    assert "--overwrite" in capsys.readouterr().err
    assert content(folder) == before
