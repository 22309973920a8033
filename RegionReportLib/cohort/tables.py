"""All sentences and measurements of a cohort as two Parquet tables, and what is counted on the way through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import NeedMissing
from ..imaging.atomic import whole_file
from ..progress import Progress, Work
from ..report.canonical import parse
from ..report.report_file import REPORT_NAME
from .manifest import Entry, Manifest

SENTENCES_NAME, MEASUREMENTS_NAME = "sentences.parquet", "measurements.parquet"
# Rows that are held before they are written as one group: a few megabytes, whatever the size of the cohort.
_GROUP = 20_000


@dataclass(slots=True)
class Tally:
    """What is counted over all drafts: studies by region, finding and polarity, coverage, and flags.

    A finding is the quantity that a sentence rests on first, or the sentence's key phrase where it rests on none.
    """

    studies: int = 0
    sentences: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)


def write_tables(manifest: Manifest) -> Work[Tally]:
    """Write both tables of all drafts that are done, in the order of the list, into the cohort's folder."""
    tally, total = Tally(), max(manifest.counts().done, 1)
    folder = manifest.folder
    with (
        _Table(folder / SENTENCES_NAME, _SENTENCE) as sentences,
        _Table(folder / MEASUREMENTS_NAME, _NUMBER) as numbers,
    ):
        for n, entry in enumerate(manifest.entries("state = 'done'")):
            if n % 20 == 0:
                yield Progress(n / total, f"tables: {n:,} of {total:,} studies")
            report = parse((folder / entry.folder / REPORT_NAME).read_bytes())
            sentences.add(_sentence_rows(entry, report))
            numbers.add(_number_rows(entry, report))
            _count(tally, report)
    return tally


def _sentence_rows(entry: Entry, report: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for number, sentence in enumerate(report["sentences"]):
        anchor = sentence["anchors"][0] if sentence["anchors"] else {"box_ras_mm": None, "point_ras_mm": None}
        yield {
            "study": entry.row.id,
            "number": number,
            "sentence": sentence["id"],
            "text": sentence["text"],
            "regions": sentence["regions"],
            "polarity": sentence["polarity"],
            "author": sentence["origin"]["author"],
            "evidence": sentence["evidence"],
            "anchors": len(sentence["anchors"]),
            "structure": anchor.get("structure"),
            "side": anchor.get("side"),
            "zone": anchor.get("zone"),
            "confidence": anchor.get("confidence"),
            "box_ras_mm": [x for corner in anchor["box_ras_mm"] or () for x in corner] or None,
            "point_ras_mm": anchor["point_ras_mm"],
            "flags": [flag["kind"] for flag in sentence["flags"]],
        }


def _number_rows(entry: Entry, report: dict[str, Any]) -> Iterable[dict[str, Any]]:
    names = ("quantity", "region", "structure", "side", "zone", "value", "unit", "uncertainty", "method", "reason")
    for number in report["measurements"]:
        yield {"study": entry.row.id, "measurement": number["id"], **{name: number[name] for name in names}}


def _count(tally: Tally, report: dict[str, Any]) -> None:
    tally.studies += 1
    tally.sentences += len(report["sentences"])
    tally.coverage.update((region, how) for region, how in report["coverage"].items())
    quantities = {number["id"]: number["quantity"] for number in report["measurements"]}
    said: set[tuple[str, str, str]] = set()
    for sentence in report["sentences"]:
        tally.flags.update(flag["kind"] for flag in sentence["flags"])
        finding = quantities[sentence["evidence"][0]] if sentence["evidence"] else _phrase(sentence)
        said.update((region, finding, sentence["polarity"]) for region in sentence["regions"])
    tally.findings.update(said)


def _phrase(sentence: dict[str, Any]) -> str:
    start, stop = sentence["key_phrase"] or (0, len(sentence["text"]))
    return str(sentence["text"][start:stop]).lower()


class _Table:
    """A Parquet file written in groups of rows, which appears under its name when it is whole."""

    def __init__(self, path: Path, columns: dict[str, str]) -> None:
        self._schema = _schema(columns)
        self._rows: list[dict[str, Any]] = []
        self._file = whole_file(path)

    def __enter__(self) -> _Table:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(self._file.__enter__(), self._schema, compression="zstd")
        return self

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= _GROUP:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        finally:
            self._file.__exit__(kind, error, at)

    def _flush(self) -> None:
        import pyarrow as arrow

        self._writer.write_table(arrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows.clear()


_SENTENCE = {
    "study": "string",
    "number": "int32",
    "sentence": "string",
    "text": "string",
    "regions": "strings",
    "polarity": "string",
    "author": "string",
    "evidence": "strings",
    "anchors": "int32",
    "structure": "string",
    "side": "string",
    "zone": "string",
    "confidence": "double",
    "box_ras_mm": "doubles",
    "point_ras_mm": "doubles",
    "flags": "strings",
}
_NUMBER = {
    "study": "string",
    "measurement": "string",
    "quantity": "string",
    "region": "string",
    "structure": "string",
    "side": "string",
    "zone": "string",
    "value": "double",
    "unit": "string",
    "uncertainty": "double",
    "method": "string",
    "reason": "string",
}


def need_pyarrow() -> None:
    """Raise NeedMissing if the tables could not be written, so that nobody learns it after hours of drafting."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as cause:
        raise NeedMissing("the tables of a cohort need pyarrow: pip install 'regionreport[cohort]'") from cause


def _schema(columns: dict[str, str]) -> Any:
    import pyarrow as arrow

    kinds = {
        "string": arrow.string(),
        "int32": arrow.int32(),
        "double": arrow.float64(),
        "strings": arrow.list_(arrow.string()),
        "doubles": arrow.list_(arrow.float64()),
    }
    return arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
