"""One long work after the other, watched: what it raises is told, cancelling ends it, a second one waits its turn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from ..errors import Conflict, RegionReportError
from ..progress import Progress
from .desk import words_of
from .drafting import Busy

_log = logging.getLogger(__name__)


class Works:
    """Runs the long work of a door; `changed()` follows its progress, `failed(words)` is called when one fails."""

    def __init__(self, changed: Callable[[], None], failed: Callable[[str], None]) -> None:
        self.busy: Busy | None = None
        self._changed = changed
        self._failed = failed
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a work; Conflict while another runs."""
        if self._task is not None and not self._task.done():
            work.close()
            raise Conflict("wait for what is being done, or cancel it first")
        self.busy = Busy()
        self._task = asyncio.get_running_loop().create_task(self._watched(work))
        self._changed()

    def cancel(self) -> None:
        """End the work; nothing half done stays."""
        if self._task is not None:
            self._task.cancel()

    def watch(self, progress: Progress) -> None:
        """Note how far the work is."""
        assert self.busy is not None
        self.busy.now(progress)
        self._changed()

    def hear(self, message: Any) -> None:
        """Note what the worker told."""
        assert self.busy is not None
        self.busy.hear(message)
        self._changed()

    async def close(self) -> None:
        """End the work and wait until it has."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            self._failed("Cancelled; nothing was kept.")
        except Exception as error:
            if not isinstance(error, RegionReportError):
                _log.exception("opening, drafting or exporting failed")
            self._failed(words_of(error))
        finally:
            self.busy = None
            self._changed()
