"""What choosing a sentence lets stand out."""

from __future__ import annotations

from dataclasses import replace

from RegionReportLib.anatomy.regions import Side, Zone, region
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence
from RegionReportLib.review.highlight import Area, Highlight, highlight_of

LUNG = Place("lungs", Box((0, 0, 0), (100, 200, 250)), (50, 100, 120), side=Side.RIGHT)
ZONE = Place("lungs", Box((0, 0, 0), (100, 200, 80)), (50, 90, 40), side=Side.RIGHT, zone=Zone.LOWER)
HEART = Place("heart_great_vessels", Box((-60, 60, 20), (20, 140, 110)), (-20, 100, 60))


def sentence(*places: Place, regions: tuple[str, ...] = ()) -> Sentence:
    anchors = tuple(Anchor(place, AnchorSource.WORDING) for place in places)
    regions = regions or tuple(place.region_id for place in places)
    return Sentence("s1", "Dense lung.", regions, anchors, Polarity.PRESENT, Origin(Author.READER))


def test_an_anchored_sentence_shows_its_side_point_box_and_window() -> None:
    shown = highlight_of(sentence(ZONE), places=(LUNG, ZONE))
    assert shown == Highlight((Area("lungs", Side.RIGHT),), (50, 90, 40), ZONE.box, (1500, -600))


def test_the_box_of_a_whole_region_or_side_is_not_drawn() -> None:
    assert highlight_of(sentence(LUNG), places=(LUNG, ZONE)).box is None
    assert highlight_of(sentence(LUNG), places=()).box == LUNG.box


def test_walking_through_the_anchors_keeps_all_areas_clear() -> None:
    both = sentence(ZONE, HEART)
    first, second, third = (highlight_of(both, anchor=n) for n in range(3))
    assert first.region_ids == second.region_ids == ("lungs", "heart_great_vessels")
    assert second.point_ras_mm == HEART.point_mm and second.window == region("heart_great_vessels").window
    assert third == first


def test_a_sentence_with_regions_but_no_place_moves_nothing() -> None:
    shown = highlight_of(sentence(regions=("bones", "lungs")))
    assert shown == Highlight((Area("bones"), Area("lungs")), None, None, region("bones").window)


def test_a_sentence_without_any_place_shows_nothing() -> None:
    placeless = replace(sentence(regions=("bones",)), regions=(), placeless=True)
    assert highlight_of(placeless) == Highlight()


def test_an_area_of_one_side_leaves_the_other_side_out() -> None:
    right = Area("lungs", Side.RIGHT)
    assert right.holds("lungs", Side.RIGHT) and right.holds("lungs", None)
    assert not right.holds("lungs", Side.LEFT) and not right.holds("bones", Side.RIGHT)
    assert Area("lungs").holds("lungs", Side.LEFT)
