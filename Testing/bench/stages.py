"""Where the time and memory of a draft go: each scan drafted by the command line in a process of its own.

    python Testing/bench/stages.py [--runs N] [--ct FILE ...]

Without --ct: the real scan lidc-0001 (if found) at its native 512×512×133, and a phantom of 512×512×600, which is
made once and kept in build/bench. Prints a Markdown table of the median over the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("REGIONREPORT_REAL_DATA", REPOSITORY.parent / "shared" / "data" / "ct"))
LARGE = REPOSITORY / "build" / "bench" / "phantom-512x512x600"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ct", type=Path, nargs="*", default=None)
    arguments = parser.parse_args()
    scans = arguments.ct if arguments.ct is not None else default_scans()
    rows = [bench(scan, arguments.runs) for scan in scans]
    stages = list(rows[0]["seconds"])
    print(f"| scan | {' | '.join(stages)} | in all (s) | peak memory (MB) |")
    print("|" + " --- |" * (len(stages) + 3))
    for row in rows:
        cells = " | ".join(f"{row['seconds'][stage]:.2f}" for stage in stages)
        print(f"| {row['scan']} | {cells} | {row['wall']:.1f} | {row['memory']:.0f} |")


def default_scans() -> list[Path]:
    found = [REAL_DATA / "lidc-0001" / "ct.nii.gz"] if REAL_DATA.is_dir() else []
    if not (LARGE / "ct.nii.gz").exists():
        print("making the 512×512×600 phantom, once", file=sys.stderr)
        run("phantom", "--seed", "7", "--rows", "512", "--slices", "600", "--step", "0.6", "-o", str(LARGE))
    return [*found, LARGE / "ct.nii.gz"]


def bench(scan: Path, runs: int) -> dict:
    records, walls = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            run("draft", str(scan), "-o", folder)
            records.append(json.loads((Path(folder) / "run.json").read_text(encoding="utf-8")))
            walls.append(sum(records[-1]["seconds"].values()))
    seconds = {
        stage: statistics.median(record["seconds"][stage] for record in records) for stage in records[0]["seconds"]
    }
    memory = statistics.median(record["peak_memory_mb"] for record in records)
    size = "×".join(str(n) for n in reversed(records[0]["settings"]["input"]["shape_kji"]))
    return {
        "scan": f"{scan.parent.name} {size}",
        "seconds": seconds,
        "wall": statistics.median(walls),
        "memory": memory,
    }


def run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "RegionReportLib.cli.main", *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
