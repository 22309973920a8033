"""Fixtures for all tests: where the real scans are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans; the test is skipped where it is absent."""
    folder = Path(os.environ.get("REGIONREPORT_REAL_DATA", REPOSITORY.parent / "shared" / "data" / "ct"))
    if not folder.is_dir():
        pytest.skip(f"real scans not found at {folder}; set REGIONREPORT_REAL_DATA")
    return folder
