"""The viewer's side: starts the worker, hands it a job, and turns all that can happen to it into messages.

Nothing here blocks: a timer calls `poll`. A worker that has died, hangs or talks nonsense ends its job with `Failed`,
and the next job starts a fresh one. Loads nothing that the viewer's process should not have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import Conflict
from .lines import NotAMessage, from_worker, to_line
from .messages import (
    LINE_LIMIT,
    PROTOCOL,
    Cancel,
    Draft,
    ErrorKind,
    Exported,
    Failed,
    FromWorker,
    Heartbeat,
    Hello,
    Job,
    JobCancelled,
    Last,
    Log,
    SentenceWritten,
    Shutdown,
    StageProgress,
    Stalled,
    Timeouts,
)
from .output import occupied, remove_all
from .patience import Patience
from .process import ChildProcess, how_it_ended, looks_killed

Told = Hello | StageProgress | SentenceWritten | Log | Stalled | Last

# How long `poll` lets the reading threads run when nothing has come yet; see ChildProcess.
_WAIT_S = 0.002
# Lines before the hello that are no messages: banners of wrapper scripts. More is another program.
_BANNER_LINES = 200
_BEFORE = "starting the worker"

# Loads exactly this library in any interpreter, without putting what lies beside it in front of that one's packages.
_BOOTSTRAP = """
import sys, importlib.util as util
folder = sys.argv[1]
spec = util.spec_from_file_location("RegionReportLib", folder + "/__init__.py", submodule_search_locations=[folder])
package = util.module_from_spec(spec)
sys.modules["RegionReportLib"] = package
spec.loader.exec_module(package)
sys.path.append(folder.rpartition("/")[0])
from RegionReportLib.worker.serve import main
sys.exit(main())
"""


def worker_command(interpreter: Path | str) -> tuple[str, ...]:
    """Return the command that runs this library's worker in another Python, installed there or not."""
    library = Path(__file__).resolve().parents[1]
    return str(interpreter), "-c", _BOOTSTRAP, library.as_posix()


class WorkerClient:
    """Runs one job after the other in one worker process that `command` starts, with `environment` if given.

    Every job that was started ends in exactly one `Result`, `Failed` or `JobCancelled` from `poll`.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = tuple(command)
        self._environment = environment
        self._timeouts = timeouts or Timeouts()
        self._patience = Patience(self._timeouts, clock)
        self._child: ChildProcess | None = None
        self._job: Job | None = None
        self._pending: list[Told] = []
        self._greeted = False
        self._warm = False  # whether the job was given to a worker that had waited for it
        self._banner = 0
        self._stage = _BEFORE

    @property
    def job(self) -> Job | None:
        """The job that runs, None if none does."""
        return self._job

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None if there is none."""
        return None if self._child is None else self._child.pid

    def start(self, job: Job) -> None:
        """Hand over a job; Conflict while another one runs. That the worker cannot be started is told by `poll`."""
        if self._job is not None:
            raise Conflict(f"the worker is busy with {self._job.job}")
        self._job, self._stage = job, _BEFORE
        self._patience.start()
        if isinstance(job, Draft) and occupied(Path(job.output)):
            self._pending.append(self._failed(ErrorKind.CONFLICT, f"{job.output} already holds something"))
            return
        if self._child is not None and self._child.exit_code is not None:
            self._drop()
        self._warm = self._child is not None
        self._hand_over(job)

    def poll(self) -> tuple[Told, ...]:
        """Return what happened since the last call, in order; takes a few milliseconds at most."""
        self._patience.tick()
        told, self._pending = self._pending, []
        if self._child is not None:
            told += self._received(self._child)
        if self._child is not None:
            told += self._judged(self._child)
        return tuple(told)

    def cancel(self) -> None:
        """Ask the job to stop; the worker is killed if it does not within the time of grace.

        An export whose files were complete before the worker read the request is told as `Exported`.
        """
        if self._job is not None and self._child is not None and not self._patience.stopping:
            self._patience.stop()
            self._child.send(to_line(Cancel(self._job.job)))

    def close(self) -> None:
        """End the worker, at once if a job runs, which leaves nothing behind. Waits two seconds at most otherwise."""
        if self._child is None:
            return
        if self._job is None:
            self._child.send(to_line(Shutdown()))
            self._child.end_input()
            self._child.wait(self._timeouts.shutdown_s)
        self._end_job_hard(self._child)
        self._job = None

    def _hand_over(self, job: Job) -> None:
        if self._child is None:
            self._child = self._launched()
        if self._child is not None:
            self._child.send(to_line(job))

    def _launched(self) -> ChildProcess | None:
        self._greeted, self._banner = False, 0
        try:
            return ChildProcess(self._command, self._environment)
        except (OSError, ValueError) as error:
            reason = f"the worker's Python cannot be started: {self._command[0]} ({error})"
            self._pending.append(self._failed(ErrorKind.NOT_STARTED, reason))
            return None

    def _received(self, child: ChildProcess) -> list[Told]:
        lines, errors = child.receive(_WAIT_S)
        told: list[Told] = [Log("stderr", text) for text in errors if text]
        for line in lines:
            if not line.strip():
                continue
            try:
                told += self._heard(child, from_worker(line))
            except NotAMessage as reason:
                told += self._not_a_message(child, line, str(reason))
            if self._child is None:
                return told
        if child.longest_rest > LINE_LIMIT:
            told += self._broken(child, ErrorKind.GARBAGE, "the worker's output has a line without end")
        return told

    def _heard(self, child: ChildProcess, message: FromWorker) -> list[Told]:
        self._patience.heard()
        if isinstance(message, Hello):
            return self._greet(child, message)
        if not self._greeted:
            raise NotAMessage(f"a {type(message).__name__} before the hello")
        if isinstance(message, Heartbeat):
            return []
        if isinstance(message, Log):
            return [message]
        if self._job is None or message.job != self._job.job:
            return []
        if isinstance(message, StageProgress | SentenceWritten):
            return self._advanced(message)
        return self._ended(child, message)

    def _advanced(self, message: StageProgress | SentenceWritten) -> list[Told]:
        self._patience.advanced()
        if isinstance(message, StageProgress):
            self._stage = message.stage
        return [] if self._patience.stopping else [message]

    def _greet(self, child: ChildProcess, hello: Hello) -> list[Told]:
        if hello.protocol != PROTOCOL:
            reason = f"the worker speaks protocol {hello.protocol} (RegionReport {hello.version}), this one {PROTOCOL}"
            return self._broken(child, ErrorKind.WRONG_VERSION, reason)
        self._greeted = True
        return [hello]

    def _ended(self, child: ChildProcess, last: Last) -> list[Told]:
        assert self._job is not None
        job = self._job
        if self._patience.stopping and not isinstance(last, JobCancelled | Exported):
            # It was done before it read the request; the user wants nothing of it.
            remove_all(job)
            last = JobCancelled(job.job)
        self._job = None
        if isinstance(last, Failed) and last.kind is ErrorKind.MEMORY:
            child.kill()  # what is left of its memory is in pieces
            self._drop()
        return [last]

    def _not_a_message(self, child: ChildProcess, line: bytes, reason: str) -> list[Told]:
        self._banner += 1
        if not self._greeted and self._banner <= _BANNER_LINES and not line.lstrip().startswith(b"{"):
            return [Log("stdout", line.decode("utf-8", "replace")[:1000])]
        return self._broken(child, ErrorKind.GARBAGE, f"the worker's output is not understood: {reason}")

    def _judged(self, child: ChildProcess) -> list[Told]:
        """Look at what cannot be heard: death, silence, standstill, a cancel that takes too long."""
        if child.exit_code is not None:
            over = child.drained or self._patience.enough_of_the_dead()
            return self._died(child, child.exit_code) if over else []
        if self._job is None:
            return []
        overdue = self._patience.overdue(self._greeted)
        if overdue is not None:
            return self._broken(child, *overdue)
        seconds = self._patience.stalled_s()
        return [] if seconds is None else [Stalled(self._job.job, self._stage, seconds)]

    def _died(self, child: ChildProcess, exit_code: int) -> list[Told]:
        how = how_it_ended(exit_code)
        if self._job is None:
            self._end_job_hard(child)
            return [Log("warning", f"the idle worker ended ({how})")]
        if self._warm and self._stage == _BEFORE and not self._patience.stopping:
            # It had died before it saw the job, but the system had not told yet.
            self._warm = False
            self._end_job_hard(child)
            self._hand_over(self._job)
            return [Log("warning", f"the idle worker ended ({how}); starting another")]
        if not self._greeted:
            last = next((text for text in reversed(child.stderr_tail) if text.strip()), how)
            reason = f"{self._command[0]} ended before the worker was up: {last:.300}"
            return self._broken(child, ErrorKind.NOT_STARTED, reason)
        if looks_killed(exit_code):
            reason = f"the worker was killed ({how}), most likely because memory ran out"
            return self._broken(child, ErrorKind.KILLED, reason)
        return self._broken(child, ErrorKind.CRASHED, f"the worker crashed ({how})")

    def _broken(self, child: ChildProcess, kind: ErrorKind, reason: str) -> list[Told]:
        """End the worker and its job; what was cancelled stays cancelled however it ended."""
        detail = "\n".join(child.stderr_tail)
        job, cancelled = self._job, self._patience.stopping
        self._end_job_hard(child)
        if job is None:
            return [Log("error", reason)]
        if cancelled:
            self._job = None
            return [JobCancelled(job.job)]
        return [self._failed(kind, reason, detail)]

    def _failed(self, kind: ErrorKind, reason: str, detail: str = "") -> Failed:
        assert self._job is not None
        failed = Failed(self._job.job, kind, reason, self._stage, detail)
        self._job = None
        return failed

    def _end_job_hard(self, child: ChildProcess) -> None:
        child.kill()
        self._drop()
        if self._job is not None:
            remove_all(self._job)

    def _drop(self) -> None:
        if self._child is not None:
            self._child.abandon()
        self._child = None
