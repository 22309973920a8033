"""A worker whose job is small and steered by the test: the real loop, real generators, real files.

What happens is said in the job's `segmenter` as `act` or `act@stage`; stages are read, segment, measure, write.
"""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from RegionReportLib.progress import Progress, Work
from RegionReportLib.worker.messages import Draft, Drafted, MasksArray, Timeouts
from RegionReportLib.worker.output import whole
from RegionReportLib.worker.serve import main

STAGES = ("read", "segment", "measure", "write")
STEPS = 5
SLEEPER = "import time; time.sleep(600)"


def job(job: Draft, tell: Callable[[dict[str, object]], None]) -> Work[Drafted]:
    act, _, at = job.segmenter.partition("@")
    with whole(job) as folder:
        for n, stage in enumerate(STAGES):
            for step in range(STEPS):
                yield Progress((n + step / STEPS) / len(STAGES), stage)
                (folder / f"{stage}.txt").write_text(f"{step}\n" * 1000)
                if act == "slow":
                    time.sleep(0.002)
                if stage == (at or "measure") and step == 2:
                    ACTS[act](job)
        for n in range(3):
            tell({"id": f"s{n}", "text": job.writer})
        if job.labels:
            Path(job.labels).write_bytes(b"labels")
    labels = MasksArray(job.labels, ("lung_right",), "fake", {}, {}) if job.labels else None
    return Drafted(job.job, job.output, ("read.txt",), {"read": 0.5}, labels)


def _stray_prints(job: Draft) -> None:
    print("a stray print")  # noqa: T201
    ctypes.CDLL(None).puts(b"a line of C")
    ctypes.CDLL(None).fflush(None)
    subprocess.run([sys.executable, "-c", "print('a line of a child')"], check=True)
    logging.getLogger("some.library").warning("a warning")


def _raise(error: BaseException) -> Callable[[Draft], None]:
    def act(job: Draft) -> None:
        raise error

    return act


def _children(job: Draft) -> None:
    """Leave a child and a grandchild behind that would live for long."""
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", code])


def _garbage(job: Draft) -> None:
    for descriptor in range(3, 20):  # whichever is the message stream
        try:
            os.write(descriptor, b'{"type": "Progress"}\nnoise\n')
        except OSError:
            continue


ACTS: dict[str, Callable[[Draft], None]] = {
    "": lambda job: None,
    "slow": lambda job: None,
    "print": _stray_prints,
    "garbage": _garbage,
    "flood": lambda job: os.write(2, b"again\n" * 20_000),
    "kill": lambda job: os.kill(os.getpid(), 9),
    "segfault": lambda job: os.kill(os.getpid(), 11),
    "leave": lambda job: os._exit(7),
    "stop": lambda job: os.kill(os.getpid(), 19),
    "sleep": lambda job: time.sleep(600),
    "children": _children,
    "children-sleep": lambda job: (_children(job), time.sleep(600)),
    "defect": _raise(ZeroDivisionError("a / b")),
    "memory": _raise(MemoryError("of 3 GB")),
    "missing": _raise(ModuleNotFoundError("No module named 'torch'")),
    "disk": _raise(OSError(28, "No space left on device")),
}

if __name__ == "__main__":
    sys.exit(main(job, Timeouts(heartbeat_s=0.05, orphan_s=float(os.environ.get("ORPHAN_S", "0.5")))))
