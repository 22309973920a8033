"""One job of a worker as work: whoever waits for it goes through its steps, and closing it ends the worker too."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import RegionReportError
from ..progress import Progress, Work
from .client import Told, WorkerClient
from .messages import ErrorKind, Failed, Job, JobCancelled, Result, StageProgress


class JobFailed(RegionReportError):
    """The worker gave no result; `kind` says why, `detail` is for a developer."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(f"{failure.reason} (while {failure.stage})" if failure.stage else failure.reason)
        self.kind: ErrorKind = failure.kind
        self.detail = failure.detail


class Waiting(Progress):
    """Progress while only the worker works: the caller may go and do something else for a while."""


def do_job(client: WorkerClient, job: Job, told: Callable[[Told], None] = lambda message: None) -> Work[Result]:
    """Run a job to its end and return its result; `told` hears each message, for example sentences.

    Raises JobFailed with the worker's reason, Conflict if the worker is busy. Closing it ends the job and the worker,
    for a job that nobody hears must not go on.
    """
    client.start(job)
    progress = Waiting(0.0, "starting the worker")
    try:
        while True:
            for message in client.poll():
                told(message)
                if isinstance(message, Result):
                    return message
                if isinstance(message, Failed):
                    raise JobFailed(message)
                if isinstance(message, JobCancelled):
                    raise JobFailed(Failed(job.job, ErrorKind.KILLED, "the job was cancelled", ""))
                if isinstance(message, StageProgress):
                    progress = Waiting(message.fraction, message.stage)
            yield progress
    finally:
        if client.job is not None:
            client.close()
