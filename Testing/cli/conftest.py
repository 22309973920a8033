"""A small phantom scan on disk, made once, and a way to run the command line as users do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chest phantom of 96 rows and 5 mm slices."""
    path = tmp_path_factory.mktemp("scan") / "chest ü.nii.gz"
    write_nifti(finish(make_case(Recipe(5, scan=Scan(rows=96, step_mm=5.0)))).volume, path)
    return path


@pytest.fixture(scope="session")
def drafted(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a draft of that scan."""
    folder = tmp_path_factory.mktemp("drafted") / "report"
    done = run_command("draft", str(scan), "-o", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `regionreport` with words and return what came of it."""
    return run_command


def run_command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "RegionReportLib.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
