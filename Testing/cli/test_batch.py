"""The command batch, as a user starts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main


def test_a_table_of_scans_that_cannot_be_drafted_ends_with_a_page_of_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"no image")
    table = tmp_path / "list.csv"
    table.write_text("study,path\nA,a.nii.gz\nB,missing.nii.gz\n", encoding="utf-8")
    out = tmp_path / "out"
    assert main(["batch", str(table), "-o", str(out), "--json-progress"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == {"done": [str(out / "summary.html")], "drafted": 0, "failed": 2}
    assert any(line.get("stage", "").startswith("0 of 2, 2 failed") for line in lines)
    assert "not a NIfTI file" in (out / "summary.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["nothing-here.csv", "-o", "out"], 3, "nothing-here.csv does not exist"),
        (["list.txt", "-o", "out"], 3, "neither a folder nor a .csv or .parquet table"),
        (["list.csv", "-o", "out", "--writer", "reg2rg", "--model", "none"], 4, "no model folder at none"),
        (["list.csv", "-o", "out", "--workers", "0"], 2, "expected a whole number from 1"),
    ],
)
def test_what_cannot_be_started_is_refused_before_a_folder_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("list.txt", "list.csv"):
        (tmp_path / name).write_text("study,path\n", encoding="utf-8")
    try:
        found = main(["batch", *arguments])
    except SystemExit as end:
        found = int(str(end.code))
    assert found == code
    error = capsys.readouterr().err
    assert error.startswith("regionreport: error: ")
    assert why in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
