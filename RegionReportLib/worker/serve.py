"""The worker's side: one long life in which one job after the other is done, so that models stay warm.

Standard output belongs to the messages alone; whatever else is printed, by Python or by a library, goes to standard
error, which the client reads as log. Ends by itself when the client is gone. What a job does is `job.py`'s matter.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import platform
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import IO, Protocol

from .. import __version__
from ..errors import Conflict, InputRefused, NeedMissing
from ..progress import Work
from .lines import NotAMessage, to_line, to_worker
from .messages import (
    LINE_LIMIT,
    PROTOCOL,
    Cancel,
    ErrorKind,
    Export,
    Failed,
    FindPlaces,
    FromWorker,
    Heartbeat,
    Hello,
    Job,
    JobCancelled,
    Last,
    Log,
    Redraft,
    Result,
    SentenceWritten,
    StageProgress,
    Timeouts,
)
from .output import remove_unfinished

# Progress of the same stage more often than this is not worth a line.
_PROGRESS_EACH_S = 0.05
_KINDS: tuple[tuple[type[BaseException], ErrorKind], ...] = (
    (InputRefused, ErrorKind.REFUSED),
    (NeedMissing, ErrorKind.NEED_MISSING),
    (ImportError, ErrorKind.NEED_MISSING),
    (Conflict, ErrorKind.CONFLICT),
    (MemoryError, ErrorKind.MEMORY),
    (OSError, ErrorKind.FILES),
)


class Doer(Protocol):
    """Does a job; `tell` sends a sentence (its JSON form) as soon as it is written."""

    def __call__(self, job: Job, tell: Callable[[dict[str, object]], None]) -> Work[Result]:
        """Return the work; closing it leaves nothing behind."""


def main(run: Doer | None = None, timeouts: Timeouts | None = None) -> int:
    """Serve jobs until the client ends it or is gone; `run` does a job (default: really)."""
    limits = timeouts or Timeouts()
    border, source = _take_over()
    logging.basicConfig(handlers=[_ToBorder(border)], level=logging.INFO, format="%(name)s: %(message)s")
    faulthandler.enable()
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the viewer is in front, and its window must stay smooth
    border.send(Hello(PROTOCOL, __version__, platform.python_version(), os.getpid()))
    inbox = _Inbox(source, limits.orphan_s)
    threading.Thread(target=inbox.read, daemon=True).start()
    threading.Thread(target=_beat, args=(border, limits.heartbeat_s), daemon=True).start()
    while (job := inbox.next_job()) is not None:
        border.send(_finished(job, run or _really, border, inbox))
        inbox.done()
    return 0


def _really(job: Job, tell: Callable[[dict[str, object]], None]) -> Work[Result]:
    # Imported here, so that the hello does not wait for the imaging libraries.
    if isinstance(job, Export):
        from .export_job import export_job

        return export_job(job)
    if isinstance(job, Redraft):
        from .redraft_job import redraft_job

        return redraft_job(job, tell)
    if isinstance(job, FindPlaces):
        from .places_job import places_job

        return places_job(job)
    from .job import draft_job

    return draft_job(job, tell)


def _finished(job: Job, run: Doer, border: _Border, inbox: _Inbox) -> Last:
    """Do a job and return how it ended."""
    started = told = time.monotonic()
    stage = "starting"
    work: Work[Result] | None = None
    try:
        work = run(job, lambda sentence: border.send(SentenceWritten(job.job, sentence)))
        while not inbox.stopped(job.job):
            progress = next(work)
            now = time.monotonic()
            if progress.stage != stage or now - told >= _PROGRESS_EACH_S:
                stage, told = progress.stage, now
                border.send(StageProgress(job.job, progress.fraction, stage, round(now - started, 3)))
        work.close()
        return JobCancelled(job.job)
    except StopIteration as end:
        result: Result = end.value
        return result
    except Exception as error:
        return _failure(job, error, stage)
    finally:
        if work is not None:
            work.close()


def _failure(job: Job, error: Exception, stage: str) -> Failed:
    kind = next((kind for cause, kind in _KINDS if isinstance(error, cause)), ErrorKind.DEFECT)
    text = " ".join(str(error).split()) or type(error).__name__
    if kind is ErrorKind.MEMORY:
        text = f"not enough memory: {text}"
    elif kind is ErrorKind.NEED_MISSING and isinstance(error, ImportError):
        text = f"a package is missing in {sys.executable}: {text}"
    elif kind is ErrorKind.DEFECT:
        text = f"{type(error).__name__}: {text}"
    return Failed(job.job, kind, text, stage, "".join(traceback.format_exception(error)))


class _Border:
    """Writes messages to what was standard output; nothing else can write there any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: FromWorker) -> None:
        line = memoryview(to_line(message))
        # When the client is gone, the end of standard input says so too, and that is seen to in order.
        with self._lock, contextlib.suppress(OSError):
            while line:
                line = line[os.write(self._descriptor, line) :]


def _take_over() -> tuple[_Border, IO[bytes]]:
    """Return the message streams, and leave to prints, libraries and descendants others in their place."""
    sys.stdout.flush()
    border, source = _Border(os.dup(1)), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return border, source


class _Inbox:
    """Hears the client in a thread of its own, also while a job runs."""

    def __init__(self, stream: IO[bytes], orphan_s: float) -> None:
        self._stream = stream
        self._orphan_s = orphan_s
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._current: Job | None = None
        self._cancelled: set[str] = set()
        self._over = threading.Event()

    def next_job(self) -> Job | None:
        self._current = self._jobs.get()
        return self._current

    def done(self) -> None:
        self._current = None

    def stopped(self, job: str) -> bool:
        return job in self._cancelled or self._over.is_set()

    def read(self) -> None:
        while line := self._stream.readline(LINE_LIMIT):
            try:
                message = to_worker(line)
            except NotAMessage:
                logging.getLogger(__name__).exception("the client's line is not understood")
                break
            if isinstance(message, Job):
                self._jobs.put(message)
            elif isinstance(message, Cancel):
                self._cancelled.add(message.job)
            else:
                break
        self._over.set()
        self._jobs.put(None)
        time.sleep(self._orphan_s)
        self._end_hard()

    def _end_hard(self) -> None:
        """A step that does not come back is left where it is, with what it has started and half written."""
        if self._current is not None:
            remove_unfinished(self._current)
        with contextlib.suppress(Exception):  # whatever happens, the process ends
            import psutil

            for child in psutil.Process().children(recursive=True):
                child.kill()
        os._exit(3)


def _beat(border: _Border, each_s: float) -> None:
    while True:
        time.sleep(each_s)
        border.send(Heartbeat())


class _ToBorder(logging.Handler):
    """Log records as messages."""

    def __init__(self, border: _Border) -> None:
        super().__init__()
        self._border = border

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            self._border.send(Log(record.levelname.lower(), self.format(record)))
