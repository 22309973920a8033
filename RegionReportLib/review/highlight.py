"""Decides what choosing a sentence brings into view; the doing belongs to a viewer.

Computed from the anchors alone: no mask and no voxel is needed for a click.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side
from ..imaging.box import Box, Point
from ..report.place import Place
from ..report.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Area:
    """A region that stands out, on one side only if `side` says so."""

    region_id: str
    side: Side | None = None

    def __post_init__(self) -> None:
        anatomy.region(self.region_id)

    def holds(self, region_id: str, side: Side | None) -> bool:
        """Tell whether a part with this region and side belongs to the area; a part without a side always does."""
        return region_id == self.region_id and (self.side is None or side in (None, self.side))


@dataclass(frozen=True, slots=True)
class Highlight:
    """What stands out: `areas` clear, all else faint; the views go to `point_ras_mm`; `box` is drawn.

    `window` is the CT window (width, level) in HU that suits the place. None means that there is nothing to go to,
    to draw or to set; no areas mean that nothing is known of the place.
    """

    areas: tuple[Area, ...] = ()
    point_ras_mm: Point | None = None
    box: Box | None = None
    window: tuple[float, float] | None = None

    @property
    def region_ids(self) -> tuple[str, ...]:
        """The regions that stand out, each once."""
        return tuple(dict.fromkeys(area.region_id for area in self.areas))


def highlight_of(sentence: Sentence, places: Iterable[Place] = (), anchor: int = 0) -> Highlight:
    """Return what to show for a sentence: all its areas, and the point and box of one of its anchors.

    `anchor` counts on from the first and begins anew behind the last, so that a door can walk through them. `places`
    are those of the report: a box that is just the whole of a region or side is left out, since its mask shows it.
    """
    if not sentence.anchors:
        areas = tuple(Area(region_id) for region_id in dict.fromkeys(sentence.regions))
        return Highlight(areas, window=_window(areas))
    return highlight_of_places([a.place for a in sentence.anchors], places, anchor)


def highlight_of_places(shown: Sequence[Place], places: Iterable[Place] = (), turn: int = 0) -> Highlight:
    """Return what to show for several places at once: all their areas, and the point and box of one of them."""
    areas = tuple(dict.fromkeys(Area(place.region_id, place.side) for place in shown))
    chosen = shown[turn % len(shown)]
    whole = {p.box for p in places if p.structure is None and p.zone is None}
    box = None if chosen.box in whole else chosen.box
    return Highlight(areas, chosen.point_mm, box, anatomy.region(chosen.region_id).window)


def _window(areas: tuple[Area, ...]) -> tuple[float, float] | None:
    return anatomy.region(areas[0].region_id).window if areas else None
