"""Tables of report texts and of finding labels, read from CSV with one refusal for whatever is malformed.

Only rows of texts come out of here; what they are worth is decided elsewhere.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..errors import InputRefused

Key: TypeAlias = "tuple[str, str | None]"

# The names that published tables use (CT-RATE, RadGenome-Chest CT, Reg2RG), lower case; `case` and `text` are ours.
_CASE = ("case", "accnum", "accession", "volumename", "id")
_REGION = ("region", "anatomy")
_TEXT = ("text", "report", "sentence", "findings")
_REFERENCE = ("reference", "gt", "gt_combined_report", "ground_truth")
_PREDICTION = ("prediction", "pred", "pred_combined_report", "generated")
_PUBLISHED_SUFFIX = "_reports.csv"
_LARGEST_TABLE = 1_000_000_000
_LARGEST_FIELD = 10_000_000
# Far above any report; comparing two texts takes time and memory by the product of their lengths.
_LONGEST_TEXT = 30_000


@dataclass(frozen=True, slots=True)
class TextPair:
    """What reference and prediction say about one case, or about one region of it; None where one says nothing."""

    case: str
    region: str | None
    reference: str | None
    prediction: str | None


def read_pairs(paths: Sequence[Path]) -> tuple[TextPair, ...]:
    """Read tables that hold reference and prediction side by side, one row per case, or per case and region.

    The region is the column `region`, or the start of a file name `<region>_reports.csv` as published with Reg2RG.
    Raises InputRefused for a malformed table or a doubled row.
    """
    pairs: dict[Key, TextPair] = {}
    for path in paths:
        for number, row in _rows(path):
            key = _key(path, number, row)
            if key[1] is None and path.name.endswith(_PUBLISHED_SUFFIX):
                key = (key[0], path.name.removesuffix(_PUBLISHED_SUFFIX).lower())
            texts = [_said(path, number, row[_column(path, row, names)]) for names in (_REFERENCE, _PREDICTION)]
            pair = TextPair(*key, *texts)
            if key in pairs:
                raise InputRefused(f"{path.name}, row {number}: {_name(key)} occurs a second time")
            pairs[key] = pair
    return tuple(pairs.values())


def read_texts(path: Path) -> dict[Key, str | None]:
    """Read a table of texts by case and region (None without such a column), in reading order.

    Raises InputRefused for a malformed table or a doubled row.
    """
    texts: dict[Key, str | None] = {}
    for number, row in _rows(path):
        key = _key(path, number, row)
        if key in texts:
            raise InputRefused(f"{path.name}, row {number}: {_name(key)} occurs a second time")
        texts[key] = _said(path, number, row[_column(path, row, _TEXT)])
    return texts


def pair_up(references: dict[Key, str | None], predictions: dict[Key, str | None]) -> tuple[TextPair, ...]:
    """Return the texts side by side, references first; what only one side has is kept with None on the other.

    Raises InputRefused if the two have no case in common, or if only one is divided into regions.
    """
    ours, theirs = ({case for case, _ in table} for table in (references, predictions))
    if not ours & theirs:
        raise InputRefused(
            f"reference and prediction share no case: the first are {next(iter(ours), 'none')!r} and "
            f"{next(iter(theirs), 'none')!r}"
        )
    divided = [any(region is not None for _, region in table) for table in (references, predictions)]
    if divided[0] != divided[1]:
        with_region, without = ("reference", "prediction") if divided[0] else ("prediction", "reference")
        raise InputRefused(f"the {with_region} table has a column 'region', the {without} table has none")
    keys = dict.fromkeys((*references, *predictions))
    return tuple(TextPair(*key, references.get(key), predictions.get(key)) for key in keys)


def whole_reports(pairs: Iterable[TextPair]) -> tuple[TextPair, ...]:
    """Return one pair per case: its region texts joined by blanks in reading order."""
    cases: dict[str, tuple[list[str], list[str]]] = {}
    for pair in pairs:
        own = cases.setdefault(pair.case, ([], []))
        for texts, text in zip(own, (pair.reference, pair.prediction), strict=True):
            if text is not None:
                texts.append(text)
    return tuple(
        TextPair(case, None, " ".join(reference) or None, " ".join(prediction) or None)
        for case, (reference, prediction) in cases.items()
    )


def read_labels(path: Path, labels: Sequence[str]) -> dict[Key, tuple[bool, ...]]:
    """Read a table with one column of 0 and 1 for each of `labels`; other columns are left alone.

    Raises InputRefused for a missing column, a doubled row, or a value that is neither 0 nor 1.
    """
    found: dict[Key, tuple[bool, ...]] = {}
    for number, row in _rows(path):
        key = _key(path, number, row)
        if key in found:
            raise InputRefused(f"{path.name}, row {number}: {_name(key)} occurs a second time")
        values = []
        for label in labels:
            value = row[_column(path, row, (label.lower(),))]
            if value.strip() not in ("0", "1", "0.0", "1.0"):
                raise InputRefused(f"{path.name}, row {number}, {label!r}: expected 0 or 1, got {value[:40]!r}")
            values.append(float(value) == 1.0)
        found[key] = tuple(values)
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield `(number, row)` with lower-case column names; the table has a header, rows, and no ragged ones."""
    if path.stat().st_size > _LARGEST_TABLE:
        raise InputRefused(f"{path} is larger than {_LARGEST_TABLE} bytes")
    limit = csv.field_size_limit(_LARGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _checked_rows(path, csv.reader(file, strict=True))
    except UnicodeDecodeError as cause:
        raise InputRefused(f"{path.name} is no UTF-8 text; save it as UTF-8 CSV") from cause
    except csv.Error as cause:
        raise InputRefused(f"{path.name} is no well-formed CSV: {cause}") from cause
    finally:
        csv.field_size_limit(limit)


def _checked_rows(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    header = [name.strip().lower() for name in next(reader, [])]
    if not any(header):
        raise InputRefused(f"{path.name} is empty; expected a header line and rows")
    if len(set(header)) != len(header):
        raise InputRefused(f"{path.name} names a column twice: {', '.join(header)[:200]}")
    number = 0
    for number, fields in enumerate((f for f in reader if f), start=2):
        if len(fields) != len(header):
            raise InputRefused(f"{path.name}, row {number}: expected {len(header)} fields, got {len(fields)}")
        yield number, dict(zip(header, fields, strict=True))
    if not number:
        raise InputRefused(f"{path.name} has a header but no rows")


def _column(path: Path, row: dict[str, str], names: Sequence[str]) -> str:
    found = [name for name in names if name in row]
    if len(found) != 1:
        problem = "no column" if not found else "more than one column"
        have = ", ".join(list(row)[:30])
        raise InputRefused(f"{path.name} has {problem} named {' or '.join(found or names)} (its columns: {have[:300]})")
    return found[0]


def _key(path: Path, number: int, row: dict[str, str]) -> Key:
    case = row[_column(path, row, _CASE)].strip().removesuffix(".gz").removesuffix(".nii")
    if not case:
        raise InputRefused(f"{path.name}, row {number}: the case has no name")
    if not any(name in row for name in _REGION):
        return case, None
    region = row[_column(path, row, _REGION)].strip().lower()
    if not region:
        raise InputRefused(f"{path.name}, row {number}: case {case!r} has a row without a region")
    return case, region


def _said(path: Path, number: int, text: str) -> str | None:
    if len(text) > _LONGEST_TEXT:
        raise InputRefused(f"{path.name}, row {number}: a text of {len(text)} characters is no report")
    return text.strip() or None


def _name(key: Key) -> str:
    return f"case {key[0]!r}" if key[1] is None else f"case {key[0]!r}, region {key[1]!r}"
