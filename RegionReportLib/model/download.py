"""One file over HTTP into one file on disk: goes on where it broke off, tells its progress, can be stopped."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, Any

from ..errors import Cancelled, NeedMissing
from ..progress import Progress, Work

_TOLD_EACH_S = 0.25


def download(url: str, path: Path, size: int, headers: dict[str, str]) -> Work[None]:
    """Fetch the rest of `size` bytes into `path`; raises what the hub's library raises, and keeps what came.

    The library blocks while it reads, so it runs in a thread; closing the work lets the next piece end it.
    """
    with path.open("ab") as file:
        arriving = _Arriving(file)
        thread = threading.Thread(target=arriving.run, args=(url, size, headers), daemon=True)
        thread.start()
        try:
            while True:  # told at least once, also of a file that is here at once
                yield Progress(min(1.0, arriving.bytes / max(size, 1)), _stage(path, arriving.bytes, size))
                if not thread.is_alive():
                    break
                thread.join(_TOLD_EACH_S)
        finally:
            arriving.stopped.set()
            while thread.is_alive():  # nobody else may write into the file; a dead line ends by its own time limit
                thread.join(_TOLD_EACH_S)
        if arriving.error is not None:
            raise arriving.error


class _Arriving:
    """A file that counts what is written into it and refuses more once it was stopped."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.bytes = file.tell()
        self.stopped = threading.Event()
        self.error: BaseException | None = None

    def run(self, url: str, size: int, headers: dict[str, str]) -> None:
        """Fetch; the error, if there is one, waits in `error`."""
        try:
            from huggingface_hub import utils
            from huggingface_hub.file_download import http_get

            shown = not utils.are_progress_bars_disabled()  # type: ignore[attr-defined]
            utils.disable_progress_bars()  # type: ignore[attr-defined] # ours is the one that is shown
            try:
                target: Any = self
                http_get(url, target, resume_size=self.bytes, headers=headers, expected_size=size)
            finally:
                if shown:
                    utils.enable_progress_bars()  # type: ignore[attr-defined]
        except BaseException as error:
            self.error = error

    def write(self, data: bytes) -> int:
        """Take a piece; Cancelled once it was stopped, NeedMissing if the disk takes no more."""
        if self.stopped.is_set():
            raise Cancelled("the download was stopped")
        try:
            self._file.write(data)
        except OSError as error:
            raise NeedMissing(f"the disk takes no more ({error.strerror}); what has arrived is kept") from error
        self.bytes += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how much there is."""
        return self.bytes

    def seek(self, position: int, whence: int = 0) -> int:
        """Do nothing but for a start anew: the file is only ever appended to."""
        if position == 0 and whence == 0:
            self.bytes = 0
        return self.bytes

    def truncate(self) -> int:
        """Drop what is there: the server did not go on but began anew."""
        self._file.truncate(self.bytes)
        return self.bytes


def _stage(path: Path, arrived: int, size: int) -> str:
    name = path.name.strip(".").split(".")[0]
    return f"fetching {name}, {arrived / 1e9:.1f} of {size / 1e9:.1f} GB"
