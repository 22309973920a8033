"""The border between the viewer's process and the worker's, as a document: messages, version, errors, timeouts.

Both sides import this file and the jobs in `jobs.py`, and nothing else of each other. A message is one line of ASCII
JSON on a standard stream, tagged with its `type`; voxels travel by file. Standard library only, so that the handshake
works in any interpreter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from .jobs import Draft as Draft
from .jobs import Export as Export
from .jobs import FindPlaces as FindPlaces
from .jobs import MasksArray as MasksArray
from .jobs import Redraft as Redraft
from .jobs import ScanArray as ScanArray
from .jobs import ScanFile as ScanFile

# Raised when an old reader would misunderstand a new message; the handshake compares it before any job counts.
PROTOCOL = 3
# Longest line in bytes. A thousand sentences are far below it; a line beyond it is not one of ours.
LINE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each side waits, in seconds. Time in which the viewer itself stood still is not counted.

    Two kinds of hanging are told apart. *Frozen*: no sign of life at all, though the worker sends heartbeats from a
    thread of its own; it is killed. *Stalled*: heartbeats arrive but the work does not advance; this is only said,
    because a slow step of a large scan looks the same, and the user decides.
    """

    # A sign of life each second keeps the border nearly silent.
    heartbeat_s: float = 1.0
    # A first start from a cold network disk, past a virus scanner, takes tens of seconds.
    hello_s: float = 90.0
    # One native call may hold the interpreter's lock, and with it the heartbeat: labelling 512³ voxels on a slow
    # machine takes up to a minute.
    frozen_s: float = 180.0
    # Work promises progress about once a second; sixty times that is worth a word.
    stalled_s: float = 60.0
    # After asking politely: enough for several steps of progress, short enough for one who waits.
    cancel_s: float = 5.0
    # The end of an idle worker: nothing has to be finished, only interpreters torn down.
    shutdown_s: float = 2.0
    # When the viewer has died, a step may end and clean up before the worker ends itself the hard way.
    orphan_s: float = 5.0


class ErrorKind(str, Enum):
    """Why a job has no result: first what the worker itself tells, then what the viewer sees from outside."""

    REFUSED = "refused"  # the scan cannot be used
    NEED_MISSING = "need_missing"  # a package, weights, or a device is absent
    CONFLICT = "conflict"  # the output already exists
    FILES = "files"  # reading or writing failed: disk full, no permission
    MEMORY = "memory"  # an allocation failed; the worker is replaced
    DEFECT = "defect"  # anything else that was raised: an error of the program
    NOT_STARTED = "not_started"  # the interpreter does not exist or ended before it said hello
    WRONG_VERSION = "wrong_version"  # another protocol
    GARBAGE = "garbage"  # the stream holds something that is no message
    KILLED = "killed"  # ended from outside, most likely for want of memory
    CRASHED = "crashed"  # ended by itself in the middle of a job
    FROZEN = "frozen"  # no sign of life


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the worker: close the job."""

    job: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """To the worker: end."""


@dataclass(frozen=True, slots=True)
class Hello:
    """From the worker, first of all: who it is."""

    protocol: int
    version: str
    python: str
    pid: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """From the worker, each `Timeouts.heartbeat_s`, from a thread that does nothing else."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """From the worker: how far the job is; `fraction` of the whole in 0..1."""

    job: str
    fraction: float
    stage: str
    elapsed_s: float

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far, None while they cannot be told."""
        if self.fraction <= 0.02:
            return None
        return self.elapsed_s * (1 - self.fraction) / self.fraction


@dataclass(frozen=True, slots=True)
class SentenceWritten:
    """From the worker: one sentence in the report's JSON form, as soon as it is written and not yet checked."""

    job: str
    sentence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Log:
    """From the worker: a log record (`level` as in logging), a stray print or a line of standard error."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """From the worker, last: the job is done; `files` are names in `output`, `seconds` what each stage took."""

    job: str
    output: str
    files: tuple[str, ...]
    seconds: dict[str, float]
    masks: MasksArray | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """From the worker, last: the files are written; `files` are their names in `output`."""

    job: str
    output: str
    files: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Redrafted:
    """From the worker, last: a region is written; `sentences` in the report's JSON form, not yet part of any report.

    `model` is the name and SHA-256 of the writer's model, empty without one; `seed` is the one that was used.
    """

    job: str
    region: str
    sentences: tuple[dict[str, Any], ...]
    writer: str
    model: str
    seed: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class PlacesFound:
    """From the worker, last: what was looked for; `found` as `FoundForSentence`, not yet part of any report."""

    job: str
    found: tuple[FoundForSentence, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class FoundForSentence:
    """Part of a message: what was found for a sentence, in its words; `anchors` in the report's JSON form."""

    sentence_id: str
    phrase: str
    anchors: tuple[dict[str, Any], ...]
    words: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Last of a job: it has no result. `reason` is one line for the user, `detail` what a developer wants to see."""

    job: str
    kind: ErrorKind
    reason: str
    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """Last of a job: it was stopped on request and left nothing behind."""

    job: str


@dataclass(frozen=True, slots=True)
class Stalled:
    """From the client, not the worker: alive, but for `seconds` no progress in `stage`; said once per standstill."""

    job: str
    stage: str
    seconds: float


Job: TypeAlias = Draft | Export | Redraft | FindPlaces
Result: TypeAlias = Drafted | Exported | Redrafted | PlacesFound
Last: TypeAlias = Result | Failed | JobCancelled
ToWorker: TypeAlias = Job | Cancel | Shutdown
FromWorker: TypeAlias = Hello | Heartbeat | StageProgress | SentenceWritten | Log | Last
Message: TypeAlias = ToWorker | FromWorker | Stalled
