"""Numbers of a sentence with their units, and which of them are limits."""

from __future__ import annotations

import pytest

from RegionReportLib.grounding.mentions import mentions_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("measures 58 × 41 × 47 mm", [((58.0, 41.0, 47.0), "mm", True)]),
        ("13x9 mm", [((13.0, 9.0), "mm", True)]),
        ("5mmx4mm", [((5.0, 4.0), "mm", True)]),
        ("a diameter of 1.5 cm", [((1.5,), "cm", True)]),
        ("a diameter of 1,5 cm", [((1.5,), "cm", True)]),
        ("310 mL and 2.7 L", [((310.0,), "mL", False), ((2.7,), "L", False)]),
        ("26 and 18 mm in diameter", [((26.0, 18.0), "mm", False)]),
        ("a density of −112 HU", [((-112.0,), "HU", False)]),
        ("measuring 12", [((12.0,), None, True)]),
        ("12x8", [((12.0, 8.0), None, True)]),
        ("T7, 5th rib, IM187, 3D", []),
        ("image 45, 3 nodules", []),
        ("a ratio of 0.56", [((0.56,), None, False)]),
        ("40 %", [((40.0,), "%", False)]),
    ],
)
def test_numbers_are_read_with_their_units(
    text: str, expected: list[tuple[tuple[float, ...], str | None, bool]]
) -> None:
    assert [(q.values, q.unit, q.is_size) for q in mentions_of(text).quantities] == expected


def test_limits_are_told_from_values() -> None:
    found = mentions_of("3 % below −950 HU, fluid < 10 mL, more than 5 mm, at least 2 cm").quantities
    assert [(q.is_bound, q.is_floor) for q in found] == [(False, False), *[(True, False)] * 3, (True, True)]
