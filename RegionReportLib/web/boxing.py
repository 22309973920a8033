"""The box that a reader draws as the place of the chosen sentence: dragged in slice views, or given by numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..anatomy import regions as anatomy
from ..errors import Conflict, InputRefused
from ..imaging.box import Box, Point
from ..imaging.grid import corners_of
from ..review.highlight import Area, Highlight
from ..review.session import Session
from ..scene.box_node import BoxNode
from ..scene.pointing import SceneViewer
from .acts import Message, number_of, text_of
from .views import FourViews, view_of

_START_MM = 40.0
_FARTHEST_MM = 10_000.0
_DEPTH_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}
ACTS = ("box", "box_drag", "box_set", "box_take", "box_leave")


class Boxing:
    """Draws one box at a time for the sentence that is chosen in `session`; the box is in the report's millimetres."""

    def __init__(self, views: FourViews, session: Session) -> None:
        assert isinstance(session.viewer, SceneViewer)
        self._viewer = session.viewer
        self._views = views
        self._session = session
        self._node = BoxNode(views.scene)
        self._box: Box | None = None
        self._region_id = ""
        self._sentence_id = ""

    def state(self) -> dict[str, Any] | None:
        """Return what a page shows of the box, None while none is drawn."""
        if self._box is None:
            return None
        low, high = ([round(value, 1) for value in corner] for corner in (self._box.min_mm, self._box.max_mm))
        return {"region": anatomy.region(self._region_id).name, "low": low, "high": high}

    def act(self, message: Message) -> None:
        """Do what a page asks for; InputRefused or Conflict says why not, and the box stays as it was."""
        kind = message["do"]
        if kind == "box":
            self._begin(text_of(message, "region", 60))
        elif kind == "box_leave":
            self.leave()
        elif self._box is None:
            raise Conflict("no box is being drawn")
        elif kind == "box_drag":
            self._drag(message, self._box)
        elif kind == "box_set":
            self._show(_box_between(message.get("low"), message.get("high")))
        else:
            self._take(self._box)

    def follow(self) -> None:
        """Leave the box if its sentence is no longer the one that is chosen."""
        chosen = self._session.chosen
        if self._box is not None and (chosen is None or chosen.id != self._sentence_id):
            self._end()

    def leave(self) -> None:
        """Leave the box and show the place of the sentence again."""
        if self._box is not None:
            self._end()
            self._session.show()

    def close(self) -> None:
        """Take the box out of the scene."""
        self._end()

    def _begin(self, region_id: str) -> None:
        chosen = self._session.chosen
        if chosen is None or not self._session.editable:
            raise Conflict("choose the sentence that the box is for")
        if region_id not in anatomy.REGION_IDS:
            raise InputRefused(f"there is no region {region_id!r:.60}")
        self._sentence_id, self._region_id = chosen.id, region_id
        self._viewer.point_at(Highlight((Area(region_id),)))  # its mask stands out, and no other box
        middle = np.array(self._viewer.report_point(self._views.middle()))
        self._show(Box.around([middle - _START_MM / 2, middle + _START_MM / 2]))

    def _drag(self, message: Message, before: Box) -> None:
        """Take both edges from a rectangle in a slice; the depth stays, and goes along to the slice if it must."""
        view = view_of(message.get("view"))
        if view not in _DEPTH_AXIS:
            raise InputRefused("a box is drawn in the slices")
        corners = [self._point(view, message, *names) for names in (("x", "y"), ("x2", "y2"))]
        drawn, depth = Box.around(corners), _DEPTH_AXIS[view]
        low, high = list(drawn.min_mm), list(drawn.max_mm)
        at = drawn.center_mm[depth]
        low[depth], high[depth] = before.min_mm[depth], before.max_mm[depth]
        if not low[depth] <= at <= high[depth]:
            half = before.size_mm[depth] / 2
            low[depth], high[depth] = at - half, at + half
        self._show(Box.around([low, high]))

    def _point(self, view: str, message: Message, x: str, y: str) -> Point:
        world = self._views.point_at(view, *(min(1.0, max(0.0, number_of(message, key))) for key in (x, y)))
        assert world is not None
        return self._viewer.report_point(world)

    def _take(self, box: Box) -> None:
        region_id = self._region_id
        self.follow()
        if self._box is None:
            raise Conflict("the sentence that the box was drawn for is no longer chosen")
        self._session.retie_to_box(region_id, box)
        self._end()

    def _show(self, box: Box) -> None:
        self._box = box
        corners = corners_of(np.array(box.min_mm), np.array(box.max_mm))
        self._node.show(Box.around([self._viewer.world_point(corner) for corner in corners]), np.eye(4))

    def _end(self) -> None:
        self._box = None
        self._node.remove()


def _box_between(low: Any, high: Any) -> Box:
    corners = []
    for corner in (low, high):
        if not isinstance(corner, list) or len(corner) != 3:
            raise InputRefused("a box has two corners of three numbers")
        numbers = [number_of({"n": value}, "n") for value in corner]
        if any(abs(value) > _FARTHEST_MM for value in numbers):
            raise InputRefused("this box lies nowhere near the patient")
        corners.append(numbers)
    return Box.around(corners)  # whichever end is named first
