"""The list of studies to draft: a CSV or Parquet table, or a folder of scans. Rows are read as they are asked for."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from ..imaging.dicom_folder import is_dicom
from ..imaging.read import ENDINGS, list_series

COLUMNS = ("study", "path", "series", "masks", "prior")
_NEEDED = COLUMNS[:2]
_YES, _NO = {"1", "true", "yes"}, {"", "0", "false", "no"}
# A scan has slices on all sides of something; a localiser or a dose sheet has one or two images.
_FEWEST_SLICES = 8


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study: its id, its scan (file or DICOM folder, absolute), and what is at hand beside the scan.

    `series` chooses a series of a DICOM folder, `masks` is a `.seg.nrrd` to be used instead of segmenting, `prior`
    tells that an earlier examination exists.
    """

    id: str
    path: str
    series: str | None = None
    masks: str | None = None
    prior: bool = False


def study_rows(source: Path) -> Iterator[StudyRow]:
    """Yield the studies of a `.csv` or `.parquet` table, or of a folder, in a fixed order.

    A table has the columns `study` (id) and `path`, and if wished `series`, `masks`, `prior`; relative paths start at
    the table's folder. In a folder each scan file is a study, and each DICOM series of at least eight slices.
    Raises InputRefused for a table that cannot be understood, naming the line.
    """
    if source.is_dir():
        return _folder_rows(source)
    name = source.name.lower()
    if not source.is_file():
        raise InputRefused(f"{source} does not exist")
    if name.endswith(".csv"):
        return _table_rows(source, _csv_lines(source))
    if name.endswith(".parquet"):
        return _table_rows(source, _parquet_lines(source))
    raise InputRefused(f"{source} is neither a folder nor a .csv or .parquet table")


def _table_rows(source: Path, lines: Iterator[tuple[int, dict[str, Any]]]) -> Iterator[StudyRow]:
    base = source.absolute().parent
    for line, values in lines:
        try:
            yield _row(values, base)
        except ValueError as cause:
            raise InputRefused(f"{source}, line {line}: {cause}") from cause


def _row(values: dict[str, Any], base: Path) -> StudyRow:
    texts = {name: _text(values.get(name)) for name in COLUMNS}
    missing = [name for name in _NEEDED if not texts[name]]
    if missing:
        raise ValueError(f"no {' and no '.join(missing)}")
    prior = texts["prior"].lower()
    if prior not in _YES | _NO:
        raise ValueError(f"prior must be true or false, got {texts['prior']!r}")
    masks = texts["masks"]
    return StudyRow(
        id=texts["study"],
        path=str(base / texts["path"]),
        series=texts["series"] or None,
        masks=str(base / masks) if masks else None,
        prior=prior in _YES,
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _csv_lines(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_columns(source, reader.fieldnames or ())
            for values in reader:
                if None in values:
                    raise InputRefused(f"{source}, line {reader.line_num}: more values than columns")
                yield reader.line_num, values
    except UnicodeDecodeError as cause:
        raise InputRefused(f"{source} is no UTF-8 text (byte {cause.start}); save it as UTF-8") from cause
    except csv.Error as cause:
        raise InputRefused(f"{source} is no CSV table: {cause}") from cause


def _parquet_lines(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as cause:
        raise NeedMissing("Parquet tables need pyarrow: pip install 'regionreport[cohort]'") from cause
    try:
        with parquet.ParquetFile(source) as file:
            _check_columns(source, file.schema_arrow.names)
            wanted = [name for name in COLUMNS if name in file.schema_arrow.names]
            line = 0
            for batch in file.iter_batches(batch_size=4096, columns=wanted):
                for values in batch.to_pylist():
                    line += 1
                    yield line, values
    except (arrow.ArrowException, OSError) as cause:
        raise InputRefused(f"{source} is no Parquet table: {cause}") from cause


def _check_columns(source: Path, names: Any) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise InputRefused(f"{source} lacks the column {' and '.join(missing)}; it has {', '.join(map(str, names))}")


def _folder_rows(folder: Path) -> Iterator[StudyRow]:
    found = False
    for place, folders, files in os.walk(folder):
        folders.sort()
        here = Path(place)
        images = sorted(f for f in files if not f.startswith("."))
        for name in images:
            if _is_scan(name):
                found = True
                yield StudyRow((here / name).relative_to(folder).as_posix(), str((here / name).absolute()))
        if any(_is_dicom(here / f) for f in images[:3]):
            folders.clear()  # a DICOM folder is read with all below it
            for row in _series_rows(folder, here):
                found = True
                yield row
    if not found:
        raise InputRefused(f"{folder} holds no scans: neither {', '.join(ENDINGS)} nor DICOM series")


def _is_scan(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(ENDINGS) and not lower.endswith(".seg.nrrd")


def _is_dicom(file: Path) -> bool:
    try:
        return is_dicom(file)
    except InputRefused:
        return False


def _series_rows(folder: Path, here: Path) -> Iterator[StudyRow]:
    name = folder.absolute().name if here == folder else here.relative_to(folder).as_posix()
    try:
        series = [s for s in list_series(here) if s.modality == "CT" and s.slices >= _FEWEST_SLICES]
    except InputRefused:
        yield StudyRow(name, str(here.absolute()))  # drafting it will record the reason and go on with the others
        return
    for one in sorted(series, key=lambda s: s.series_uid):
        own = f"{name}/{one.series_uid}" if len(series) > 1 else name
        yield StudyRow(own, str(here.absolute()), one.series_uid)
