"""A program of others that does long work: its progress is watched, its end explained, and cancelling ends its tree."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import psutil

from ..errors import NeedMissing, RegionReportError
from ..progress import Progress, Work

_LINES_KEPT = 40
_POLL_S = 0.5
_GRACE_S = 3.0


class ChildFailed(RegionReportError):
    """The program ended without a result; the message says why as far as its last lines tell."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command that begins with the Python it is for, and what it is called in messages.

    `reasons` explains lines it may end with: text in it → message. `progress_of` reads a line of
    its output into the fraction done so far and the stage, or None.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    progress_of: Callable[[str], Progress | None]
    reasons: Mapping[str, str]


_REASONS = {
    "CUDA out of memory": "not enough memory on the GPU",
    "OutOfMemoryError": "not enough memory on the GPU",
    "MemoryError": "not enough memory",
    "No space left on device": "the disk is full",
}


def run_child(program: Program) -> Work[None]:
    """Run a program to its end; closing the work ends it and all that it started.

    Raises NeedMissing if it cannot be started or says that something is missing, ChildFailed if it fails otherwise.
    """
    try:
        child = subprocess.Popen(
            list(program.command),
            env={**os.environ, **_apart(program.command[0]), **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as cause:
        raise NeedMissing(f"{program.name} cannot be started: {cause.strerror}: {program.command[0]}") from cause
    said: deque[str] = deque(maxlen=_LINES_KEPT)
    try:
        yield from _watched(child, program, said)
    finally:
        _end_tree(child)
    if child.returncode:
        raise _reason(program, child.returncode, list(said))


def _apart(python: str) -> dict[str, str]:
    """Return what keeps another Python apart from our own packages."""
    return {} if python == sys.executable else {"PYTHONHOME": "", "PYTHONPATH": ""}


def _watched(child: subprocess.Popen[bytes], program: Program, said: deque[str]) -> Work[None]:
    lines: queue.Queue[str | None] = queue.Queue()
    assert child.stdout is not None
    threading.Thread(target=_read, args=(child.stdout, lines), daemon=True).start()
    now = Progress(0.0, f"starting {program.name}")
    yield now
    while True:
        line: str | None = ""
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=_POLL_S)
        if line is None:
            break
        if line:
            said.append(line)
            now = program.progress_of(line) or now
        yield now
    child.wait()


def _read(stream: IO[bytes], lines: queue.Queue[str | None]) -> None:
    """Put each line into the queue, and None behind the last; a progress bar ends its lines with a carriage return."""
    rest = b""
    while chunk := os.read(stream.fileno(), 4096):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            if line.strip():
                lines.put(line.decode("utf-8", "replace").strip())
    if rest.strip():
        lines.put(rest.decode("utf-8", "replace").strip())
    lines.put(None)


def _end_tree(child: subprocess.Popen[bytes]) -> None:
    """End a program with all its children, first asking, then not."""
    try:
        family = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    if child.poll() is None:
        child.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=_GRACE_S)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _reason(program: Program, code: int, said: list[str]) -> RegionReportError:
    for line in reversed(said):
        for sign, meaning in program.reasons.items():
            if sign in line:
                return NeedMissing(f"{program.name}: {meaning}")
        for sign, meaning in _REASONS.items():
            if sign in line:
                return NeedMissing(f"{program.name}: {meaning} ({line:.120})")
    if code in (-9, 137):
        return NeedMissing(f"{program.name} was killed, most likely for want of memory")
    last = f": {said[-1]:.200}" if said else ""
    return ChildFailed(f"{program.name} ended without a result (exit code {code}){last}")
