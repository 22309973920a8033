"""A child process whose three streams never make the caller wait, and which ends with all its descendants.

Knows bytes and lines, not messages. Threads do the blocking reads and writes, because that is what Windows offers for
pipes; the caller need not know of them.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO

import psutil

# Bytes per read: small enough that the lines in it are read within milliseconds.
_CHUNK = 16 * 1024
# Chunks that wait for the caller; a child that floods its output is held back by its own full pipe.
_WAITING = 256
_OUT, _ERR = "out", "err"


class ChildProcess:
    """A running program; OSError if it cannot be started.

    `receive` must be called from time to time. In 3D Slicer a Python thread runs only while the main thread lets go of
    the interpreter, which the event loop does not; `receive` does, so the reading threads live on it.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if environment is None else dict(environment),
            bufsize=0,
            start_new_session=os.name == "posix",  # its own group: a Ctrl-C in the viewer's terminal is not for it
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.stderr_tail: deque[str] = deque(maxlen=30)
        self._chunks: queue.Queue[tuple[str, bytes]] = queue.Queue(_WAITING)
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._rest = {_OUT: bytearray(), _ERR: bytearray()}
        self._open = {_OUT, _ERR}
        self._abandoned = threading.Event()
        for name, stream in ((_OUT, self._process.stdout), (_ERR, self._process.stderr)):
            assert stream is not None
            threading.Thread(target=self._read, args=(name, stream), daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def drained(self) -> bool:
        """Tell whether both output streams have ended and everything in them was received."""
        return not self._open

    def send(self, line: bytes) -> None:
        """Send a line; what a dead process does not read is lost."""
        self._outgoing.put(line)

    def end_input(self) -> None:
        """Close the process's standard input once everything sent is written."""
        self._outgoing.put(None)

    def receive(self, wait_s: float) -> tuple[list[bytes], list[str]]:
        """Return the lines that came on standard output and standard error, waiting at most `wait_s` for the first."""
        lines: dict[str, list[bytes]] = {_OUT: [], _ERR: []}
        while self._open:
            try:
                name, chunk = self._chunks.get(timeout=wait_s)
            except queue.Empty:
                break
            rest = self._rest[name]
            rest += chunk
            if not chunk:
                self._open.discard(name)
                rest += b"\n" if rest else b""
            *whole, last = rest.split(b"\n") if b"\n" in chunk or not chunk else (rest,)
            lines[name] += (bytes(line) for line in whole)
            self._rest[name] = bytearray(last)
            wait_s = min(wait_s, 0.001)
            if sum(map(len, lines.values())) > 200:  # the rest next time: the caller has a window to draw
                break
        texts = [line.decode("utf-8", "replace").rstrip() for line in lines[_ERR]]
        self.stderr_tail.extend(texts)
        return lines[_OUT], texts

    @property
    def longest_rest(self) -> int:
        """The length of the longest line that has not ended yet."""
        return max(map(len, self._rest.values()))

    def kill(self) -> None:
        """End the process and all its descendants at once, and wait until the process itself is gone."""
        if self.exit_code is None:  # after its end the id may already be another's
            end_tree(self.pid)
        if os.name == "posix":
            # Descendants whose parent has died are not in the tree any more, but still in the group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the streams; the threads end with them."""
        self._abandoned.set()
        self._outgoing.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False if it did not come in time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _read(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            while not self._abandoned.is_set():
                try:
                    chunk = os.read(stream.fileno(), _CHUNK)
                except OSError:
                    chunk = b""
                self._put((name, chunk))
                if not chunk:
                    return

    def _put(self, item: tuple[str, bytes]) -> None:
        while not self._abandoned.is_set():
            with contextlib.suppress(queue.Full):
                self._chunks.put(item, timeout=1.0)
                return

    def _write(self) -> None:
        stream = self._process.stdin
        assert stream is not None
        with contextlib.suppress(OSError), stream:
            while (line := self._outgoing.get()) is not None:
                view = memoryview(line)
                while view:
                    view = view[stream.write(view) :]


def end_tree(pid: int) -> None:
    """Kill a process and all its descendants; those already gone are no error."""
    try:
        root = psutil.Process(pid)
        tree = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    for one in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(tree[:-1], timeout=0.5)


def how_it_ended(exit_code: int) -> str:
    """Return an exit status in words."""
    windows = {0xC0000005: "access violation", 0xC0000017: "out of memory", 0xC00000FD: "stack overflow"}
    if exit_code < 0:
        try:
            return f"signal {signal.Signals(-exit_code).name}"
        except ValueError:
            return f"signal {-exit_code}"
    if sys.platform == "win32" and exit_code in windows:
        return windows[exit_code]
    return f"exit code {exit_code}"


def looks_killed(exit_code: int) -> bool:
    """Tell whether a status is that of a process killed from outside, as the system does when memory runs out."""
    # 137 is what a shell or container in between makes of signal 9; the other is STATUS_NO_MEMORY of Windows.
    return exit_code in (-9, 137, 0xC0000017)
