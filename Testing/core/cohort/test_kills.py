"""Driver and workers are killed at random moments; afterwards each study is there once, as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from RegionReportLib.cohort.manifest import Manifest

_KILLS = 20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_twenty_kills_leave_each_study_drafted_once(tmp_path: Path, studies: Path) -> None:
    names = [f"s{n}" for n in range(60)]
    table = tmp_path / "list.csv"
    scan, masks = studies.parent / "one.nii.gz", studies.parent / "masks.seg.nrrd"
    table.write_text("study,path,masks\n" + "".join(f"{n},{scan},{masks}\n" for n in names), encoding="utf-8")
    _run(table, tmp_path / "calm").wait()
    rng = np.random.default_rng(5)
    rounds = 0
    for kill in range(_KILLS):
        rounds += _disturbed(table, tmp_path / "out", driver=kill % 2 == 0, after_s=float(rng.uniform(1.0, 7.0)))
    assert rounds > _KILLS // 2, "most runs were killed while they drafted"
    assert _run(table, tmp_path / "out", "--retry-failed").wait() == 0
    calm, after = _digests(tmp_path / "calm"), _digests(tmp_path / "out")
    assert len(after) == len(names)
    assert after == calm
    assert sorted(f.name for f in (tmp_path / "out" / "studies").iterdir()) == sorted(names)


def _run(table: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "RegionReportLib.cli.main", "batch", str(table), "-o", str(out), "--workers", "2"]
    return subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL)


def _disturbed(table: Path, out: Path, *, driver: bool, after_s: float) -> bool:
    """Start a run and kill its driver or one of its workers; tell whether it was still running then."""
    run = _run(table, out)
    process = psutil.Process(run.pid)
    time.sleep(after_s)  # no wait for a condition: the moment shall be random
    if run.poll() is not None:
        return False
    family = process.children(recursive=True)
    workers = [p for p in family if "spawn_main" in " ".join(p.cmdline())]
    if workers and not driver:
        workers[0].kill()
        time.sleep(after_s / 2)  # the run goes on with a fresh worker, and is ended in turn
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive, "no process outlives its driver"
    return True


def _digests(folder: Path) -> dict[str, str | None]:
    manifest = Manifest(folder)
    try:
        return {entry.row.id: entry.digest for entry in manifest.entries("state = 'done'")}
    finally:
        manifest.close()
