"""What would be sent is listed and asked for before anything leaves this computer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused
from RegionReportLib.export.send import outgoing, summary
from RegionReportLib.progress import finish

pytest.importorskip("requests", reason="the package requests is not installed")

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def test_nothing_is_sent_before_somebody_said_yes(
    service: Any, series: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["send", str(series[0].parent), "--dicomweb", service.address]
    assert main(command) == 3
    told = capsys.readouterr()
    assert "5 CT" in told.out and "NOT encrypted" in told.out and "--yes" in told.err
    for answer, code in (("no\n", 5), ("", 5), ("yes\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        assert main(command) == code
        assert len(service.bodies) == (5 if code == 0 else 0)


class Terminal:
    """A terminal at which somebody types one line."""

    def __init__(self, line: str) -> None:
        self._line = line

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._line


def test_a_folder_gives_its_dicom_files_and_a_named_file_must_be_one(series: list[Path]) -> None:
    folder = series[0].parent
    (folder / "report.json").write_text("{}", encoding="utf-8")
    files = finish(outgoing([folder, series[2]]))
    assert [file.path for file in files] == series
    assert {file.sop_class_uid for file in files} == {CT_IMAGE}
    (line,) = summary(files)
    assert "Müller^Ada (P-17)" in line and "5 CT" in line
    with pytest.raises(InputRefused, match="is no DICOM file"):
        finish(outgoing([folder / "report.json"]))
    with pytest.raises(InputRefused, match="no such file"):
        finish(outgoing([folder / "missing.dcm"]))


def test_an_empty_folder_a_doubled_object_and_a_damaged_file_are_refused(series: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputRefused, match="there is no DICOM file"):
        finish(outgoing([tmp_path / "empty"]))
    shutil.copy(series[0], tmp_path / "copy.dcm")
    with pytest.raises(InputRefused, match="are the same DICOM object"):
        finish(outgoing([series[0], tmp_path / "copy.dcm"]))
    (tmp_path / "cut.dcm").write_bytes(series[0].read_bytes()[:200])
    with pytest.raises(InputRefused, match=r"cut\.dcm"):
        finish(outgoing([tmp_path / "cut.dcm"]))


def test_hostile_identifiers_do_not_reach_the_terminal(series: list[Path]) -> None:
    image = pydicom.dcmread(series[0])
    image.PatientID = "x\x1b]0;owned\x07"
    image.save_as(series[0])
    assert all(line.isprintable() for line in summary(finish(outgoing(series))))
