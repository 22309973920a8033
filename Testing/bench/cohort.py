"""Measures cohorts: studies per minute with one and two workers, memory over the run, and the start of a long table.

    python Testing/bench/cohort.py --studies 200
    python Testing/bench/cohort.py --studies 200 --model FOLDER --workers 24 --at-once 8 --gpus 1

With a model only this is measured: workers that each write for themselves, against workers that share one that writes.
The phantoms are made once below build/bench. Both runs draft the whole way, segmentation included. Each worker has one
core, so that what is compared is the number of workers.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from RegionReportLib.cohort.engine import Engine
from RegionReportLib.cohort.local import LocalEngine
from RegionReportLib.cohort.manifest import MANIFEST_NAME, Manifest
from RegionReportLib.cohort.order import Done, Settings
from RegionReportLib.cohort.run import draft_cohort
from RegionReportLib.cohort.table import study_rows
from RegionReportLib.cohort.text_server import Together
from RegionReportLib.draft.choose import WriterChoice
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.phantom.study import training_case
from RegionReportLib.progress import finish
from RegionReportLib.report.report_file import REPORT_NAME

CACHE = Path(__file__).parents[2] / "build" / "bench" / "cohort"
SETTINGS = Settings("2026-01-01T00:00:00+00:00")


@dataclass
class Memory:
    """Resident megabytes of this process and its children, sampled each second while it is open."""

    samples: list[float] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Memory:
        threading.Thread(target=self._sample, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._over.wait(1.0):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.samples.append(total / 2**20)

    def flat(self) -> str:
        """Say the peak of each quarter of the run."""
        quarter = max(1, len(self.samples) // 4)
        peaks = [max(self.samples[n : n + quarter], default=0.0) for n in range(0, 4 * quarter, quarter)]
        return ", ".join(f"{peak:.0f}" for peak in peaks)


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000, help="length of the table whose start is measured")
    parser.add_argument("--model", help="a region-token model, to measure it alone and with --at-once")
    parser.add_argument("--workers", type=int, default=2, help="with a model: processes")
    parser.add_argument("--at-once", type=int, default=2, help="with a model: studies written together at most")
    parser.add_argument("--gpus", type=int, default=0, help="with a model: GPUs")
    arguments = parser.parse_args()
    scans = _scans(arguments.studies)
    if arguments.model is None:
        _throughput(scans, arguments.studies)
        _long_table(arguments.rows)
    else:
        _together(scans, arguments)


def _scans(count: int) -> Path:
    folder = CACHE / f"scans-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        path = folder / f"p{seed:04d}.nii.gz"
        if not path.exists():
            print(f"\rmaking phantom {seed + 1} of {count}", end="", file=sys.stderr)
            write_nifti(training_case(seed).volume, path)
    return folder


def _throughput(scans: Path, count: int) -> None:
    rates = {n: _rate(scans, count, f"{n} worker(s), a core each", LocalEngine(n, cores=n), SETTINGS) for n in (1, 2)}
    print(f"2 workers against 1: {rates[2] / rates[1]:.2f} times")


def _together(scans: Path, arguments: argparse.Namespace) -> None:
    """Measure the same workers with a model each, and with one that writes several studies at once."""
    choice = WriterChoice("region-tokens", arguments.model)
    settings = replace(SETTINGS, writer=choice)
    most = arguments.at_once
    rates = []
    for name, together in (("each for itself", None), (f"up to {most} at once", Together(choice, most))):
        engine = LocalEngine(arguments.workers, gpus=arguments.gpus, together=together)
        rates.append(_rate(scans, arguments.studies, f"{arguments.workers} workers, {name}", engine, settings))
    print(f"up to {most} at once against each for itself: {rates[1] / rates[0]:.2f} times")


def _rate(scans: Path, count: int, name: str, engine: Engine, settings: Settings) -> float:
    """Draft all scans, say how that went, and return the studies per minute."""
    with tempfile.TemporaryDirectory() as out, Memory() as memory:
        started = time.perf_counter()
        counts = finish(draft_cohort(Path(out), study_rows(scans), engine, settings))
        seconds = time.perf_counter() - started
        assert counts.done + counts.failed == count, counts
        size = sum(f.stat().st_size for f in Path(out).rglob("*") if f.is_file())
    rate = 60 * count / seconds
    print(f"{name}: {counts.done} drafted, {counts.failed} failed in {seconds:.0f} s, {rate:.1f} studies/min")
    print(f"  memory, peak of each quarter of the run: {memory.flat()} MB; {size / count / 1e6:.2f} MB per study")
    return rate


def _long_table(rows: int) -> None:
    """Measure how long a run takes to begin when nearly all of its list was done before, and what memory it needs."""
    folder = CACHE / "long"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "studies").mkdir(parents=True)
    table = folder / "list.csv"
    table.write_text("study,path\n" + "".join(f"s{n},s{n}.nii.gz\n" for n in range(rows)), encoding="utf-8")
    manifest = Manifest(folder)
    manifest.settle(SETTINGS)
    finish(manifest.take_in(study_rows(table)))
    manifest._base.execute("BEGIN")
    for n in range(rows - 10):
        manifest.record(Done(f"s{n}", "0" * 64, {"read": 0.1, "segment": 3.0}, 1_000_000))
        place = folder / "studies" / f"s{n}"
        place.mkdir()
        (place / REPORT_NAME).touch()
    manifest._base.execute("COMMIT")
    manifest.close()
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    work = draft_cohort(folder, study_rows(table), LocalEngine(1), SETTINGS)
    for progress in work:
        if not progress.stage.startswith("reading"):
            break
    seconds = time.perf_counter() - started
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    work.close()
    print(
        f"{rows:,} rows, {rows - 10:,} done before: first study handed out after {seconds:.1f} s, {grown:.0f} MB more"
    )
    print(f"  {MANIFEST_NAME}: {(folder / MANIFEST_NAME).stat().st_size / 1e6:.0f} MB")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
