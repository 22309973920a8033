"""What a page says over its socket: looking, asking, acting. Nothing of it is trusted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import InputRefused, RegionReportError
from .acts import Message, number_of, text_of
from .desk import words_of
from .door import Door
from .drafting import choices
from .finding import sentence_wished
from .hub import Hub, Page
from .redrafting import redraft_wish, redrafters
from .views import MOUSE, view_of

_log = logging.getLogger(__name__)
_LONGEST_NAME = 300


class Conversation:
    """Hears the pages of one server and answers the one that asked; what all should know the door tells."""

    def __init__(self, door: Door, hub: Hub) -> None:
        self.door = door
        self.hub = hub
        self._looking: dict[str, Callable[[Page, str, Message], Any]] = {
            "size": self._size,
            "mouse": self._mouse,
            "click": lambda _, view, message: door.click(view, number_of(message, "x"), number_of(message, "y")),
            "fit": lambda *_: door.views.fit(),
        }
        self._working: dict[str, Callable[[Message], None]] = {
            "cancel": lambda _: door.cancel(),
            "open": lambda message: self._open(text_of(message, "name", _LONGEST_NAME)),
            "again": lambda _: door.start(door.again()),
            "redraft": lambda message: door.start(door.redraft(redraft_wish(message))),
            "find_place": lambda message: door.start(door.find_place(sentence_wished(message))),
            "addendum": lambda _: door.start(door.addendum()),
            "series": lambda message: door.choose_series(text_of(message, "uid", _LONGEST_NAME)),
        }
        self._answers: dict[str, Callable[[], Message]] = {
            "trail": door.history,
            "offers": lambda: {"kind": "offers", "offers": [_offer(asdict(one)) for one in door.offers()]},
            "redrafters": lambda: {"kind": "redrafters", "writers": redrafters()},
            "drafts": lambda: {"kind": "drafts", "names": [f.name for f in door.drafts()], **choices()},
        }

    async def hear(self, page: Page, text: str) -> None:
        """Do what a message asks for; what forbids it is said to all."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        try:
            await self._do(page, message)
        except RegionReportError as problem:
            self.door.say(str(problem))
        except Exception as error:
            _log.exception("a message of the page failed")
            self.door.say(words_of(error))

    async def _do(self, page: Page, message: Message) -> None:
        kind = message.get("do")
        if not isinstance(kind, str):
            raise InputRefused("the page asked for nothing")
        if kind == "seen":
            await self.hub.seen(page, view_of(message.get("view")))
        elif kind in self._looking:
            self._looking[kind](page, view_of(message.get("view")), message)
        elif kind in self._working:
            self._working[kind](message)
        elif kind in self._answers:
            await page.send(json.dumps(self._answers[kind]()))
        elif kind == "export":
            self._export(page, text_of(message, "name", _LONGEST_NAME))
        else:
            self.door.act(message)

    def _size(self, page: Page, view: str, message: Message) -> None:
        """A view of a page has this size now; one without any is hidden."""
        width, height = (int(number_of(message, key)) for key in ("w", "h"))
        shown = width > 0 and height > 0
        self.hub.shows(page, view, shown)
        if shown:
            self.door.views.resize(view, width, height)

    def _mouse(self, _: Page, view: str, message: Message) -> None:
        if message.get("kind") in MOUSE:
            x, y = number_of(message, "x"), number_of(message, "y")
            self.door.views.mouse(view, message["kind"], x, y, int(number_of(message, "keys")))

    def _open(self, name: str) -> None:
        folder = next((f for f in self.door.drafts() if f.name == name), None)
        if folder is None:
            raise InputRefused("there is no such draft on this computer")
        self.door.start(self.door.open(folder))

    def _export(self, page: Page, name: str) -> None:
        offer = next((one for one in self.door.offers() if one.name == name), None)
        if offer is None:
            raise InputRefused(f"there is no export {name!r:.60}")
        if offer.reason is not None:
            raise InputRefused(f"not possible: {offer.reason}")

        async def give(file: Path) -> None:
            address = f"export/{file.parent.name}/{file.name}"
            await page.send(json.dumps({"kind": "file", "address": address, "name": file.name}))

        self.door.start(self.door.export(name, give))


def _offer(offer: Message) -> Message:
    return {**offer, "file": offer["file_name"]}
