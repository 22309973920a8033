"""Places say in the patient's words where they are."""

from __future__ import annotations

import pytest

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.place import Place

BOX = Box((-70, -100, -126), (-44, -72, -104))


def test_a_place_is_named_side_first() -> None:
    assert Place("lungs", BOX, (-57, -85, -115), None, Side.LEFT, Zone.MIDDLE).name == "left lung, middle zone"
    assert Place("bones", BOX, (0, 0, 0), "rib_left_3", Side.LEFT).name == "left rib 3"
    assert Place("airways", BOX, (0, 0, 0)).name == "large airways"


def test_its_spot_uses_the_directions_of_the_patient() -> None:
    assert Place("lungs", BOX, (-57.4, -85, 115)).spot == "L 57, P 85, S 115; 26 × 28 × 22 mm"


def test_a_structure_of_another_region_is_refused() -> None:
    with pytest.raises(ValueError, match="trachea"):
        Place("lungs", BOX, (0, 0, 0), "trachea")
