"""What happens behind the page: the state that all pages see, and acts on the report that is on the desk."""

from __future__ import annotations

import asyncio
import logging

from ..errors import RegionReportError
from ..imaging.dicom_folder import Series
from ..review.session import Session
from .acts import Message, act
from .arrivals import Arrivals, Place
from .boxing import ACTS as BOX_ACTS
from .desk import words_of
from .drafting import Busy
from .hub import Hub
from .panel import panel, streamed
from .settings import settings_of, window_of
from .trail import trail
from .views import FourViews

_log = logging.getLogger(__name__)
_TELL_S = 0.1


class Door(Arrivals):
    """The state behind all pages of one server."""

    def __init__(self, views: FourViews, hub: Hub, place: Place) -> None:
        super().__init__(views, place, self._tell_soon)
        self.hub = hub
        hub.look = self.look
        self._telling: asyncio.Task[None] | None = None

    # What pages see ----------------------------------------------------------------------------------------------

    def state(self) -> Message:
        """Return everything that a page shows but the pictures."""
        desk, busy, asked = self.desk, self.works.busy, self.asked
        session = desk.session if desk else None
        return {
            "kind": "state",
            "actor": self.place.actor,
            "message": self.message,
            "name": desk.name if desk else "",
            "reading": desk.reading if desk else "",
            "report": panel(session) if session else None,
            "box": desk.boxing.state() if desk and desk.boxing else None,
            "settings": self.settings.state(),
            "series": [{"uid": one.series_uid, "words": _words_of(one)} for one in asked.found] if asked else [],
            "busy": _busy(busy) if busy else None,
        }

    def _tell_soon(self) -> None:
        """Let all pages see the state soon; many changes are told once."""
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(
                self._tell(0.0 if self.works.busy is None else _TELL_S)
            )

    async def _tell(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._telling = None
        await self.hub.tell(self.state())

    # What pages ask for -------------------------------------------------------------------------------------------

    def act(self, message: Message) -> None:
        """Do an act on the report; what forbids it is said."""
        session = self.desk.session if self.desk else None
        if session is None:
            self.say("There is no report yet.")
            return
        try:
            self._act(session, message)
        except RegionReportError as problem:
            self.say(str(problem))
        except Exception as error:
            _log.exception("an act failed")
            self.say(words_of(error))
        else:
            self.say(session.problem)

    def _act(self, session: Session, message: Message) -> None:
        assert self.desk is not None
        assert self.desk.boxing is not None
        kind = message.get("do")
        if kind in BOX_ACTS:
            self.desk.boxing.act(message)
        elif kind == "window":
            self.desk.set_window(window_of(message))
        elif kind == "settings":
            self.settings = settings_of(message)
            self.desk.set_manner(self.settings.manner)
        else:
            act(session, message)
            self.desk.boxing.follow()

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

    def look(self) -> Message | None:
        """Return what stands in the corners of the slice views: the CT window, and where each slice is."""
        if self.desk is None:
            return None
        window = [round(value) for value in self.desk.window]
        return {"kind": "look", "window": window, "at": {str(n): at for n, at in enumerate(self.views.standpoints())}}

    def history(self) -> Message:
        """Return the audit trail of the open report."""
        return trail(self.open_report()[0].draft)


def _words_of(series: Series) -> str:
    name = series.description or "no description"
    return f"{name} · {series.slices} slices of {series.columns} × {series.rows}"


def _busy(busy: Busy) -> Message:
    return {
        "stage": busy.stage,
        "fraction": round(busy.fraction, 3),
        "left_s": busy.left_s,
        "stalled_s": busy.stalled_s,
        "regions": streamed(busy.heard),
    }
