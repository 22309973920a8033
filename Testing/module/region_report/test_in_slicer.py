"""The tests that are meant for the inside of 3D Slicer, run on the stand-in: so far as it goes they are sound."""

from __future__ import annotations

import importlib.util
import re
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FILE = ROOT / "Testing" / "in_slicer" / "RegionReportInSlicerTest.py"
NAMES = re.findall(r"def (test_\w+)", FILE.read_text(encoding="utf-8"))
# A whole draft by the real worker.
LONG = re.compile("draft_points|drafted_read|export_menu")


def test_there_are_tests_for_the_inside_of_slicer() -> None:
    assert len(NAMES) >= 9


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if LONG.search(name) else []) for name in NAMES]
)
def test_it_passes_on_the_standin(name: str, load_module: Callable[[Path], Any], drafts: Path) -> None:
    load_module(ROOT / "RegionReport" / "RegionReport.py")
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)  # as Slicer's runner does
    result = unittest.TestResult()
    unittest.TestSuite([module.RegionReportInSlicerTest(name)]).run(result)
    told = "\n".join(text for _, text in (*result.failures, *result.errors, *result.skipped))
    assert result.testsRun == 1 and not told, told
