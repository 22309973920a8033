"""What comes to the desk and goes from it: drafts opened, scans drafted, reports tied, addenda begun, files exported.

Everything runs in one thread: the scene, the views and the draft belong to it. Long work is awaited in other processes.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Conflict
from ..export.offers import Offer
from ..grounding.contradictions import check
from ..imaging.dicom_folder import Series
from ..imaging.mask_files import copy_masks
from ..imaging.masks import RegionMasks
from ..report.store import view_draft
from ..review.addendum import begin_addendum
from ..review.offering import take_found
from ..review.redraft import take_redraft
from ..review.session import Session
from ..scene.surfaces import make_surfaces
from .desk import Desk, is_report, scan_of_report
from .drafting import Wish, draft, in_steps, new_client
from .exports import Exports, Origin, offered
from .finding import found_places
from .reading import Source, read, series_to_choose
from .redrafting import RedraftWish, rewritten
from .settings import Settings
from .uploads import discard, given_name, new_name
from .views import FourViews
from .works import Works

_log = logging.getLogger(__name__)
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader is asked: which series `found` of a scan is to be drafted as wished."""

    scan: Path
    wish: Wish
    found: tuple[Series, ...]


class Arrivals:
    """One scan on the desk, opened or drafted one after the other; `changed` is called when a page should know."""

    def __init__(self, views: FourViews, place: Place, changed: Callable[[], None]) -> None:
        self.views = views
        self.place = place
        self.changed = changed
        self.message = ""
        self.settings = Settings()
        self.desk: Desk | None = None
        self.asked: Asked | None = None
        self.works = Works(changed, self._failed)
        self.exports = Exports()
        self._source: Source | None = None
        self._given: Path | None = None
        self._client = new_client()
        self._surfacing: asyncio.Task[None] | None = None

    def say(self, message: str) -> None:
        """Show a line to the reader."""
        self.message = message
        self.changed()

    def drafts(self) -> list[Path]:
        """Return the report folders of this computer, newest first."""
        if not self.place.drafts.is_dir():
            return []
        found = [folder for folder in self.place.drafts.iterdir() if is_report(folder)]
        return sorted(found, key=lambda folder: folder.name, reverse=True)[:_DRAFTS_SHOWN]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a long work; Conflict while another runs."""
        self.works.start(work)
        self.message = ""

    def cancel(self) -> None:
        """End the long work; nothing half done stays."""
        self.works.cancel()

    def _failed(self, words: str) -> None:
        """A long work failed: what could not be opened goes; a report that was there before stays."""
        self.message = words
        if self.desk is not None and self.desk.session is None:
            self._drop()

    async def open(self, folder: Path, volume: Path | None = None) -> None:
        """Put a report on the desk."""
        with view_draft(folder) as draft_:
            study = draft_.report.study
        source = Source(scan_of_report(folder, study, volume), _series(study.dicom), folder, study.digest)
        with tempfile.TemporaryDirectory(prefix="regionreport-") as files:
            got = await read(source, Path(files), self.works.watch)
            assert got.masks is not None
            self._drop()
            self._source, self._given = source, None
            self.desk = Desk(self.views, got.volume, f"{given_name(source.scan.name)} · {given_name(folder.name)}")
            self._open_desk(folder, got.masks)
        self._finish()

    async def draft(self, scan: Path, wish: Wish, series: str | None = None) -> None:
        """Draft a scan as wished and put the report on the desk; of several series the reader is asked for one."""
        if series is None and scan.is_dir():
            found = await series_to_choose(scan, self.works.watch)
            if found:
                self.asked = Asked(scan, wish, found)
                return
        folder = self.place.drafts / new_name(given_name(scan.name))
        source = Source(scan, series, wish.masks)
        with tempfile.TemporaryDirectory(prefix="regionreport-") as files:
            got = await read(source, Path(files), self.works.watch)
            self._drop()
            self._source, self._given = source, wish.masks
            self.desk = Desk(self.views, got.volume, given_name(scan.name))
            self.changed()
            masks = await draft(self._client, got, folder, Path(files), wish, self.works.hear)
            self._open_desk(folder, masks)
        self._finish()

    async def draft_sent(self, scan: Path, wish: Wish, series: str | None = None) -> None:
        """Draft a scan that a page sent, with its masks; one of which no report comes is not kept."""
        try:
            await self.draft(scan, wish, series)
        except BaseException:
            if self._source is None or self._source.scan != scan or self.desk is None or self.desk.session is None:
                self._discard(scan, wish)
            raise

    def _discard(self, scan: Path, wish: Wish) -> None:
        for path in (scan, wish.masks):
            if path is not None and path.parent == self.place.scans:
                discard(path)

    def choose_series(self, uid: str) -> None:
        """Draft the series that the reader chose of those asked for; none of them lets a scan that was sent go."""
        asked, self.asked = self.asked, None
        if asked is None:
            return
        if uid in {one.series_uid for one in asked.found}:
            work = self.draft_sent if asked.scan.parent == self.place.scans else self.draft
            self.start(work(asked.scan, asked.wish, uid))
        else:
            self._discard(asked.scan, asked.wish)
        self.changed()

    async def ground(self, text: str) -> None:
        """Tie an existing report to the places of the scan that is open, as a new draft."""
        if self._source is None:
            raise Conflict("open or send a scan first; the report is tied to its places")
        await self.draft(self._source.scan, Wish(text=text, masks=self._given), self._source.series)

    async def addendum(self) -> None:
        """Begin an addendum to the signed report on the desk, and put it there."""
        session, folder, source = self.open_report()
        into = self.place.drafts / new_name("addendum")
        into.mkdir(parents=True)
        try:
            copy_masks(folder, into)
            begin_addendum(session.report, into, actor=self.place.actor, check=check)
        except BaseException:
            shutil.rmtree(into, ignore_errors=True)
            raise
        await self.open(into, source.scan)

    async def again(self) -> None:
        """Open the report on the desk anew, for example when its writer may have left."""
        _, folder, source = self.open_report()
        await self.open(folder, source.scan)

    async def redraft(self, wish: RedraftWish) -> None:
        """Write one region of the report on the desk anew; what the reader did to it stays."""
        session, _, source = self.open_report()
        if not session.editable:
            raise Conflict("the report is signed or open for reading only; nothing was changed")
        written = await rewritten(self._client, session, source, wish, self.works.hear)
        self.say(take_redraft(session, written))

    async def find_place(self, sentence_id: str) -> None:
        """Look for what a sentence of the report on the desk says, and offer the places beside those it has."""
        session, _, source = self.open_report()
        if not session.editable:
            raise Conflict("the report is signed or open for reading only; nothing was changed")
        found = await found_places(self._client, session, source, sentence_id, self.works.hear)
        self.say(take_found(session, found))

    async def export(self, name: str, give: Callable[[Path], Awaitable[None]]) -> None:
        """Make one export and give its file to the page that asked."""
        _, folder, source = self.open_report()
        file = await self.exports.make(self._client, name, Origin(folder, source.scan), self.works.hear)
        await give(file)

    def offers(self) -> tuple[Offer, ...]:
        """Return what the report on the desk can be exported as, the impossible with its reason."""
        session, folder, source = self.open_report()
        return offered(session.report, Origin(folder, source.scan))

    def open_report(self) -> tuple[Session, Path, Source]:
        """Return the review, its folder and what was read for it; Conflict if there is none."""
        if self.desk is None or self.desk.session is None or self._source is None:
            raise Conflict("there is no report yet")
        assert self.desk.folder is not None
        return self.desk.session, self.desk.folder, self._source

    def _open_desk(self, folder: Path, masks: RegionMasks) -> None:
        assert self.desk is not None
        self.desk.open(folder, masks, self.place.actor, self.changed)
        self.desk.set_manner(self.settings.manner)

    def _finish(self) -> None:
        """The report can be worked on now; the surfaces follow, whatever is done meanwhile."""
        assert self.desk is not None
        assert self.desk.session is not None
        self.say("; ".join(self.desk.session.draft.notes))
        self._surfacing = asyncio.get_running_loop().create_task(self._surface(self.desk))

    async def _surface(self, desk: Desk) -> None:
        try:
            await in_steps(make_surfaces(desk.segmentation_node))
        except Exception:
            _log.exception("the surfaces could not be made")  # the slices show everything
        if desk.session is not None and desk.session.chosen is None:
            self.views.fit_space()

    def _drop(self) -> None:
        """Clear the desk; what was done on it is on the disk."""
        if self._surfacing is not None:
            self._surfacing.cancel()
        desk, self.desk = self.desk, None
        if desk is not None:
            desk.close()

    async def close(self) -> None:
        """End everything; drafts are saved and given free."""
        await self.works.close()
        self._client.close()
        self._drop()
        self.exports.close()


def _series(dicom: Any) -> str | None:
    return dicom.series_instance_uid if dicom is not None else None
