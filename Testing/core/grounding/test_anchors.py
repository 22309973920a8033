"""Sentences are tied to the places that a reader would point at, and never anew once they are tied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from RegionReportLib.grounding.anchors import ground, reground, suggest
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Polarity


def names(anchors: Any) -> list[str]:
    return [anchor.place.name for anchor in anchors]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nodule in the right lung.", ["right lung"]),
        ("Nodules in both lungs.", ["right lung", "left lung"]),
        ("The lungs are clear.", ["lungs"]),
        ("Nodule in the right upper lobe.", ["right lung, upper zone"]),
        ("Nodule in the middle lobe.", ["right lung, middle zone"]),
        ("Consolidation in the lingula.", ["left lung, middle zone"]),
        ("Atelectasis at both lung bases.", ["right lung, lower zone", "left lung, lower zone"]),
        ("Opacities in the upper lobes.", ["right lung, upper zone", "left lung, upper zone"]),
        ("Left upper lobe and right lower lobe nodules.", ["left lung, upper zone", "right lung, lower zone"]),
        ("Nodules in both lungs, the largest in the left lower lobe.", ["left lung, lower zone", "right lung"]),
        ("The aorta is normal.", ["aorta"]),
        ("Calcific plaques in the aorta and the coronary arteries.", ["aorta", "heart"]),
        ("Left ventricular hypertrophy.", ["heart"]),
        ("Cyst in the left kidney.", ["left kidney"]),
        ("Both kidneys are normal.", ["right kidney", "left kidney"]),
        ("In the upper abdomen, a cyst in the right kidney.", ["right kidney"]),
        ("Cyst in the right lobe of the liver.", ["liver"]),
        ("Compression fracture of T7.", ["T7 vertebra"]),
        ("No pleural or pericardial effusion.", ["lungs", "heart"]),
        ("Consolidation in the left lung, adjacent to the aorta.", ["left lung"]),
        ("Thank you for the referral.", []),
    ],
)
def test_a_sentence_is_tied_to(chest: Any, text: str, expected: list[str]) -> None:
    assert names(suggest(text, chest.places).anchors) == expected


def test_lobes_are_used_where_there_are_masks_and_the_anchor_says_which(chest: Any, chest_with_lobes: Any) -> None:
    text = "Nodule in the right upper lobe."
    (with_mask,) = suggest(text, chest_with_lobes.places).anchors
    (without,) = suggest(text, chest.places).anchors
    assert with_mask.place.structure == "lung_upper_lobe_right" and "mask" in with_mask.note
    assert without.place.zone is not None and "no lobe mask" in without.note


def test_fluid_that_is_there_is_shown_and_denied_fluid_is_looked_for_in_the_lung(chest_with_lobes: Any) -> None:
    assert names(suggest("Left pleural effusion.", chest_with_lobes.places).anchors) == ["left pleural effusion"]
    assert names(suggest("No left pleural effusion.", chest_with_lobes.places).anchors) == ["left lung"]


def test_a_structure_without_a_mask_falls_back_to_its_region_and_says_so(chest: Any) -> None:
    (anchor,) = suggest("The spleen is normal.", chest.places).anchors
    assert anchor.place.name == "upper abdomen" and "no mask of the spleen" in anchor.note


def test_a_region_that_the_scan_does_not_hold_gets_no_anchor_but_keeps_its_name(chest: Any) -> None:
    places = [p for p in chest.places if p.region_id != "upper_abdomen"]
    tie = suggest("The liver is normal.", places)
    assert tie.regions == ("upper_abdomen",) and tie.anchors == ()


def test_a_whole_report_is_grounded_in_order_with_headings_and_context(chest: Any) -> None:
    text = (
        "CLINICAL INFORMATION: Lung cancer.\n"
        "FINDINGS:\n"
        "Trachea is open. The lumen is free.\n"
        "Mediastinum: No abnormality.\n"
        "Lungs: 5 mm nodule on the left. It is calcified.\n"
    )
    found = ground(text, chest.places)
    assert [s.id for s in found] == [f"imported-{n:03d}" for n in range(1, 7)]
    assert [s.text for s in found][1:3] == ["Trachea is open.", "The lumen is free."]
    assert found[0].anchors == () and found[0].regions == ()
    assert [s.regions[0] for s in found[1:]] == ["airways", "airways", "mediastinum", "lungs", "lungs"]
    assert found[3].anchors[0].source is AnchorSource.HEADING
    assert found[1].anchors[0].source is AnchorSource.WORDING
    assert names(found[4].anchors) == ["left lung"]
    assert {s.origin.author for s in found} == {Author.IMPORTED}
    assert found[1].polarity is Polarity.ABSENT and found[4].polarity is Polarity.PRESENT


def test_a_tied_or_placeless_sentence_is_never_tied_anew(chest: Any) -> None:
    right = chest.place("lungs")
    tied = chest.sentence("a", "The liver is normal.", right)
    assert reground(tied, chest.places) is tied
    placeless = replace(tied, anchors=(), regions=(), placeless=True)
    assert reground(placeless, chest.places) is placeless


def test_a_sentence_without_a_tie_gets_one(chest: Any) -> None:
    free = chest.sentence("a", "The liver is normal.")
    assert names(reground(free, chest.places).anchors) == ["liver"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300))
def test_any_text_can_be_grounded_and_the_same_way_twice(chest: Any, text: str) -> None:
    first = ground(text, chest.places)
    assert ground(text, chest.places) == first
    assert len({s.id for s in first}) == len(first)
    assert all(s.text in text for s in first)
