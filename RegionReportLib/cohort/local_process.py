"""Sets a process of this machine up: its share of the machine, and that it ends with the driver or with patience."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one process may use: CPU threads, one of so many GPUs (0: none), seconds for a study."""

    threads: int
    gpus: int
    limit_s: float


class Clock:
    """When the process began its present study, None between studies."""

    started: float | None = None


def begin(number: int, lifeline: Connection, share: Share) -> None:
    """Give the process with this number its share, and let it end when the other end of `lifeline` is closed."""
    # Read by torch, ITK and `cores.threads` when the first study needs them. numpy is loaded by then and keeps its own
    # number of threads; it is asked for no large products of matrices.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ[name] = str(share.threads)
    if share.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(number % share.gpus)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the driver, which ends its processes in order
    threading.Thread(target=_watch, args=(lifeline, share.limit_s), daemon=True).start()


def _watch(lifeline: Connection, limit_s: float) -> None:
    """End this process when the driver has gone, or when a study lasts too long."""
    while True:
        started = Clock.started
        late = started is not None and time.monotonic() - started > limit_s
        with contextlib.suppress(OSError):
            if not late and not lifeline.poll(_TICK_S):
                continue
        os._exit(1)
