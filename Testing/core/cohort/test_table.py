"""The list of studies: tables and folders, understood or refused with the line that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from RegionReportLib.cohort.table import StudyRow, study_rows
from RegionReportLib.errors import InputRefused


def table(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_bytes(text.encode())
    return path


def test_relative_paths_start_at_the_table(tmp_path: Path) -> None:
    path = table(tmp_path, "study,path,series,masks,prior\nA 1,ct/a.nii.gz,,m.seg.nrrd,yes\nB,/scans/b,1.2.3,,\n")
    assert list(study_rows(path)) == [
        StudyRow("A 1", str(tmp_path / "ct/a.nii.gz"), None, str(tmp_path / "m.seg.nrrd"), True),
        StudyRow("B", "/scans/b", "1.2.3"),
    ]


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = table(tmp_path, '\ufeffpath,comment,study\r\n"a, left.nii","said ""ok""",Müller\r\n')
    assert list(study_rows(path)) == [StudyRow("Müller", str(tmp_path / "a, left.nii"))]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,path\n1,a.nii\n", "lacks the column study; it has id, path"),
        ("", "lacks the column study and path"),
        ("study,path\nA,a.nii\n,b.nii\n", "line 3: no study"),
        ("study,path\nA,\n", "line 2: no path"),
        ("study,path\nA\n", "line 2: no path"),
        ("study,path,prior\nA,a.nii,perhaps\n", "line 2: prior must be true or false, got 'perhaps'"),
        ("study,path\nA,a.nii,b,c\n", "line 2: more values than columns"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InputRefused, match=why):
        list(study_rows(table(tmp_path, text)))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("study,path\nMüller,a.nii\n".encode("latin-1"))
    with pytest.raises(InputRefused, match="no UTF-8 text"):
        list(study_rows(path))


def test_a_parquet_table_says_the_same_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    columns = {"study": ["A", "B"], "path": ["a.nii", "b.nii"], "prior": [True, None], "age": [60, 70]}
    parquet.write_table(pyarrow.table(columns), path)
    assert list(study_rows(path)) == [
        StudyRow("A", str(tmp_path / "a.nii"), prior=True),
        StudyRow("B", str(tmp_path / "b.nii")),
    ]


def test_a_file_that_only_claims_to_be_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    path.write_bytes(b"study,path\n")
    with pytest.raises(InputRefused, match="no Parquet table"):
        list(study_rows(path))


def test_a_folder_gives_its_scans_and_series_in_order(tmp_path: Path, write_series: Callable[..., Any]) -> None:
    hu = np.full((9, 8, 8), 40, np.int16)
    write_series(tmp_path / "p2" / "ct", hu)
    write_series(tmp_path / "p1", hu)
    write_series(tmp_path / "p1", hu)
    write_series(tmp_path / "scout", hu[:2])  # too few slices for a scan
    (tmp_path / "p3").mkdir()
    for name in ("b.nii.gz", "a.mha", "b.seg.nrrd", "notes.txt", ".hidden.nii"):
        (tmp_path / "p3" / name).write_bytes(b"x")
    rows = list(study_rows(tmp_path))
    assert [row.id.split("/")[0] for row in rows] == ["p1", "p1", "p2", "p3", "p3"]
    assert [row.path for row in rows[2:]] == [str(tmp_path / p) for p in ("p2/ct", "p3/a.mha", "p3/b.nii.gz")]
    assert rows[0].series != rows[1].series
    assert rows[0].id == f"p1/{rows[0].series}"
    assert rows == list(study_rows(tmp_path))


def test_a_damaged_series_stays_in_the_list(tmp_path: Path, write_series: Callable[..., Any]) -> None:
    files = write_series(tmp_path / "p1", np.full((9, 8, 8), 40, np.int16))
    files[3].write_bytes(files[3].read_bytes()[:200])
    assert [row.id for row in study_rows(tmp_path)] == ["p1"]


def test_a_folder_without_scans_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(InputRefused, match="holds no scans"):
        list(study_rows(tmp_path))
