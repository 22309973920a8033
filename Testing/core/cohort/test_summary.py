"""The tables and the page of a cohort say what its drafts say, and open in the tools of those who ask them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from RegionReportLib.cohort.manifest import Manifest
from RegionReportLib.cohort.order import Done, Failed
from RegionReportLib.cohort.summary import summarise
from RegionReportLib.cohort.table import StudyRow
from RegionReportLib.progress import finish

HOSTILE = "<script>alert(1)</script>"


def number(name: str, value: float | None, side: str | None = None) -> dict[str, Any]:
    return {"id": name, "quantity": name, "region": "lungs", "structure": None, "side": side, "zone": None,
            "value": value, "unit": "mL", "uncertainty": None, "method": "by hand", "reason": ""}  # fmt: skip


def sentence(text: str, polarity: str, *evidence: str, flags: int = 0) -> dict[str, Any]:
    anchor = {"structure": None, "side": "left", "zone": "upper", "confidence": None,
              "box_ras_mm": [[-3, -2, -1], [1, 2, 3]], "point_ras_mm": [-1, 0, 1]}  # fmt: skip
    return {"id": text[:5], "text": text, "key_phrase": [0, 4], "regions": ["lungs"], "anchors": [anchor],
            "polarity": polarity, "evidence": list(evidence), "origin": {"author": "measured"},
            "flags": [{"kind": "side"}] * flags}  # fmt: skip


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Three studies, two with a draft written by hand."""
    manifest = Manifest(tmp_path)
    names = ("b", "a", HOSTILE)
    finish(manifest.take_in(iter([StudyRow(name, f"/{name}.nii") for name in names])))
    drafts = {
        "b": [sentence("Fluid of 3 mL.", "present", "fluid", flags=1), sentence("Mass <b>.", "present")],
        "a": [sentence("Fluid of 0 mL.", "absent", "fluid")],
    }
    for name, sentences in drafts.items():
        folder = tmp_path / "studies" / name
        folder.mkdir(parents=True)
        numbers = [number("fluid", 3.0 if name == "b" else 0.0, "left"), number("x", None)]
        coverage = {"lungs": "complete" if name == "a" else "partial"}
        report = {"sentences": sentences, "coverage": coverage, "measurements": numbers}
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
        manifest.record(Done(name, "0" * 64, {"read": 1.0, "segment": 2.5 if name == "b" else 0.5}, 2_000_000))
    manifest.record(Failed(HOSTILE, "refused", f"{HOSTILE} is no scan"))
    page = finish(summarise(manifest))
    manifest.close()
    assert page.parent == tmp_path
    return tmp_path


def test_all_sentences_are_in_the_table_in_the_order_of_the_list(cohort: Path) -> None:
    columns = "study, number, text, polarity, regions, side, box_ras_mm, flags"
    rows = duckdb.sql(f"SELECT {columns} FROM '{cohort / 'sentences.parquet'}'").fetchall()
    box = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]
    assert rows == [
        ("b", 0, "Fluid of 3 mL.", "present", ["lungs"], "left", box, ["side"]),
        ("b", 1, "Mass <b>.", "present", ["lungs"], "left", box, []),
        ("a", 0, "Fluid of 0 mL.", "absent", ["lungs"], "left", box, []),
    ]


def test_what_is_unknown_is_null_in_the_table_and_not_zero(cohort: Path) -> None:
    rows = duckdb.sql(f"SELECT study, quantity, value, side FROM '{cohort / 'measurements.parquet'}'").fetchall()
    assert rows == [
        ("b", "fluid", 3.0, "left"),
        ("b", "x", None, None),
        ("a", "fluid", 0.0, "left"),
        ("a", "x", None, None),
    ]


def test_the_page_counts_studies_and_names_failures_and_links_drafts(cohort: Path) -> None:
    page = (cohort / "summary.html").read_text(encoding="utf-8")
    assert "3 studies: 2 drafted, 1 failed." in page
    assert "3 sentences, 1 flags" in page
    assert '<td>fluid</td><td class="n">1</td><td class="n">1</td><td class="n">0</td>' in page
    assert '<td>mass</td><td class="n">1</td><td class="n">0</td><td class="n">0</td>' in page
    assert "complete in 1, partial in 1" in page
    assert '<td>segment</td><td class="n">1.50 s</td><td class="n">2.50 s</td>' in page
    assert page.index('href="studies/b/report.html"') < page.index('href="studies/a/report.html"')
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is no scan" in page
