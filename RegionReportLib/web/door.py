"""What happens behind the page: one scan on the desk, opened or drafted one after the other, acts on its report.

Everything runs in one thread: the scene, the views and the draft belong to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Conflict, RegionReportError
from ..progress import Progress
from ..report.store import view_draft
from ..scene.surfaces import make_surfaces
from .acts import Message, act
from .desk import MASKS_NAME, Desk, is_report, scan_of_report, words_of
from .drafting import Busy, draft, in_steps, new_client
from .hub import Hub
from .panel import panel, streamed, trail
from .reading import Source, read
from .uploads import discard, new_name
from .views import NAMES, FourViews

_log = logging.getLogger(__name__)
_TELL_S = 0.1
_DRAFTS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where drafts of this computer lie and who reads: `actor` is named in every trail."""

    drafts: Path
    actor: str

    @property
    def scans(self) -> Path:
        """Where scans lie that were sent by a page."""
        return self.drafts / "scans"


class Door:
    """The state behind all pages of one server."""

    def __init__(self, views: FourViews, hub: Hub, place: Place) -> None:
        self.views = views
        self.hub = hub
        self.place = place
        self.desk: Desk | None = None
        self.busy: Busy | None = None
        self.message = ""
        self._source: Source | None = None
        self._client = new_client()
        self._task: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    # What pages see ----------------------------------------------------------------------------------------------

    def state(self) -> Message:
        """Return everything that a page shows but the pictures."""
        desk, busy = self.desk, self.busy
        session = desk.session if desk else None
        told: Message = {
            "kind": "state",
            "actor": self.place.actor,
            "message": self.message,
            "name": desk.name if desk else "",
            "report": panel(session) if session else None,
            "busy": None,
        }
        if busy is not None:
            told["busy"] = {
                "stage": busy.stage,
                "fraction": round(busy.fraction, 3),
                "left_s": busy.left_s,
                "stalled_s": busy.stalled_s,
                "regions": streamed(busy.heard),
            }
        return told

    def changed(self) -> None:
        """Let all pages see the state soon; many changes are told once."""
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell(0.0 if self.busy is None else _TELL_S))

    async def _tell(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._telling = None
        await self.hub.tell(self.state())

    def say(self, message: str) -> None:
        """Show a line to the reader."""
        self.message = message
        self.changed()

    # What pages ask for -------------------------------------------------------------------------------------------

    def act(self, message: Message) -> None:
        """Do an act on the report; what forbids it is said."""
        session = self.desk.session if self.desk else None
        if session is None:
            self.say("There is no report yet.")
            return
        try:
            act(session, message)
        except RegionReportError as problem:
            self.say(str(problem))
        except Exception as error:
            _log.exception("an act failed")
            self.say(words_of(error))
        else:
            self.say(session.problem)

    def click(self, name: str, x: float, y: float) -> None:
        """Find the sentences about a place of a slice view."""
        point = self.views.point_at(name, x, y)
        if self.desk is None or self.desk.session is None or point is None:
            return
        try:
            found = self.desk.find(point)
        except RegionReportError as problem:
            self.say(str(problem))
        else:
            some = f"{len(found)} sentences about this place; F goes through them."
            self.say(some if found else "No sentence is about this place.")

    def history(self) -> Message:
        """Return the audit trail of the open report."""
        session = self.desk.session if self.desk else None
        return {"kind": "trail", "entries": trail(session.draft.history()) if session else []}

    def drafts(self) -> list[Path]:
        """Return the report folders of this computer, newest first."""
        if not self.place.drafts.is_dir():
            return []
        found = [folder for folder in self.place.drafts.iterdir() if is_report(folder)]
        return sorted(found, key=lambda folder: folder.name, reverse=True)[:_DRAFTS_SHOWN]

    # Long work ------------------------------------------------------------------------------------------------------

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a long work; Conflict while another runs."""
        if self._task is not None and not self._task.done():
            if self.busy is not None:
                work.close()
                raise Conflict("wait for what is being done, or cancel it first")
            self._task.cancel()  # only the surfaces of the report before are still being made
        self.busy, self.message = Busy(), ""
        self._task = asyncio.get_running_loop().create_task(self._watched(work))
        self.changed()

    def cancel(self) -> None:
        """End the long work; nothing half done stays."""
        if self._task is not None:
            self._task.cancel()

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            if self._task is not asyncio.current_task():
                return
            self.message = "Cancelled; nothing was kept."
            self._drop_unfinished()
        except Exception as error:
            if not isinstance(error, RegionReportError):
                _log.exception("opening or drafting failed")
            self.message = words_of(error)
            self._drop_unfinished()
        finally:
            if self._task is asyncio.current_task():
                self.busy = None
                self.changed()

    async def open(self, folder: Path, volume: Path | None = None) -> None:
        """Put a report on the desk."""
        with view_draft(folder) as draft_:
            study = draft_.report.study
        source = Source(scan_of_report(folder, study, volume), _series(study.dicom), folder / MASKS_NAME, study.digest)
        with tempfile.TemporaryDirectory(prefix="regionreport-") as files:
            got = await read(source, Path(files), self._watch)
            assert got.masks is not None
            self._drop()
            self._source = source
            self.desk = Desk(self.views, got.volume, f"{source.scan.name} · {folder.name}")
            self.desk.open(folder, got.masks, self.place.actor, self.changed)
        await self._finish()

    async def draft(self, scan: Path, series: str | None = None, text: str | None = None) -> None:
        """Draft a scan, or ground `text` on it, and put the report on the desk."""
        folder = self.place.drafts / new_name(scan.name)
        source = Source(scan, series)
        with tempfile.TemporaryDirectory(prefix="regionreport-") as files:
            got = await read(source, Path(files), self._watch)
            self._drop()
            self._source = source
            self.desk = Desk(self.views, got.volume, scan.name)
            self.changed()
            masks = await draft(self._client, got, folder, Path(files), text, self._hear)
            self.desk.open(folder, masks, self.place.actor, self.changed)
        await self._finish()

    async def draft_sent(self, scan: Path) -> None:
        """Draft a scan that a page sent; one of which no report comes is not kept."""
        try:
            await self.draft(scan)
        except BaseException:
            if self._source is None or self._source.scan != scan or self.desk is None or self.desk.session is None:
                discard(scan)
            raise

    async def ground(self, text: str) -> None:
        """Tie an existing report to the places of the scan that is open, as a new draft."""
        if self._source is None:
            raise Conflict("open or send a scan first; the report is tied to its places")
        await self.draft(self._source.scan, self._source.series, text)

    async def _finish(self) -> None:
        """The report can be worked on now; the surfaces follow."""
        assert self.desk is not None
        self.busy = None
        session = self.desk.session
        self.say("; ".join(session.draft.notes) if session else "")
        await in_steps(make_surfaces(self.desk.segmentation_node))
        if session is not None and session.chosen is None:
            self.views.fit_space()

    def _watch(self, progress: Progress) -> None:
        assert self.busy is not None
        self.busy.now(progress)
        self.changed()

    def _hear(self, message: Any) -> None:
        assert self.busy is not None
        self.busy.hear(message)
        self.changed()

    def _drop_unfinished(self) -> None:
        """What could not be opened goes; a report that was there before stays."""
        if self.desk is not None and self.desk.session is None:
            self._drop()

    def _drop(self) -> None:
        """Clear the desk; what was done on it is on the disk."""
        desk, self.desk = self.desk, None
        if desk is not None:
            desk.close()

    async def close(self) -> None:
        """End everything; drafts are saved and given free."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._client.close()
        self._drop()


def view_of(number: Any) -> str:
    """Return the name of a view by its number, the first for nonsense."""
    return NAMES[number] if isinstance(number, int) and 0 <= number < len(NAMES) else NAMES[0]


def _series(dicom: Any) -> str | None:
    return dicom.series_instance_uid if dicom is not None else None
