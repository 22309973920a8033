"""Which sentences are about a place that the reader clicked."""

from __future__ import annotations

from collections.abc import Iterable

from ..imaging.box import Point
from ..report.document import Report


def sentences_at(report: Report, point_ras_mm: Point, region_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of sentences about a place: those whose box holds the point first, smallest box first.

    `region_ids` are the regions under the point, as the viewer tells them; sentences about these regions follow.
    """
    under = set(region_ids)
    near: list[tuple[float, str]] = []
    for sentence in report.sentences:
        boxes = [a.place.box for a in sentence.anchors if a.place.region_id in under]
        holding = [box.volume_ml for box in boxes if box.contains(point_ras_mm)]
        if holding:
            near.append((min(holding), sentence.id))
        elif under & set(sentence.regions):
            near.append((float("inf"), sentence.id))
    return tuple(sentence_id for _, sentence_id in sorted(near, key=lambda pair: pair[0]))
