"""The attribute text of a model's prompt."""

from __future__ import annotations

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.measure.phrases import attributes_text
from RegionReportLib.measure.subject import Subject


def test_lines_follow_the_regions_and_leave_out_what_is_unknown() -> None:
    right = Subject("lungs", side=Side.RIGHT)
    lower = Subject("lungs", side=Side.RIGHT, zone=Zone.LOWER)
    heart = Subject("heart_great_vessels")
    told = [
        heart.known("cardiothoracic_ratio", 0.5591, "m", None),
        right.known("volume", 2712.44, "m", None),
        lower.known("dense_component_volume", 62.04, "m", None),
        lower.known("longest_diameter", 58.25, "m", None),
        heart.unknown("calcium_volume", "m", "contrast in the vessels"),
        Subject("airways", structure="trachea").known("transverse_diameter", 17.0, "m", None),
    ]
    assert attributes_text(told) == (
        "Lungs: right volume 2712.4 mL; right lower zone largest dense component 62.0 mL; "
        "right lower zone its longest diameter 58.2 mm.\n"
        "Large airways: trachea transverse diameter 17.0 mm.\n"
        "Heart and great vessels: cardiothoracic ratio 0.56."
    )


def test_a_zone_without_anything_is_left_out_and_a_side_is_not() -> None:
    right = Subject("lungs", side=Side.RIGHT)
    upper, lower = (Subject("lungs", side=Side.RIGHT, zone=zone) for zone in (Zone.UPPER, Zone.LOWER))
    told = [
        right.known("dense_volume", 0.0, "m", None),
        upper.known("dense_volume", 0.0, "m", None),
        lower.known("dense_volume", 8.6, "m", None),
    ]
    assert attributes_text(told) == "Lungs: right dense lung 0.0 mL; right lower zone dense lung 8.6 mL."


def test_no_measurements_make_no_text() -> None:
    assert attributes_text([]) == ""


def test_ids_are_readable_and_do_not_repeat_the_side() -> None:
    assert Subject("lungs", side=Side.LEFT, zone=Zone.UPPER).id_of("dense_volume") == "lungs.dense_volume.left.upper"
    assert Subject("lungs", "lung_left", Side.LEFT).id_of("volume") == "lungs.volume.lung_left"
