"""The anatomy table: complete, coded, and reachable by the names others use."""

from __future__ import annotations

import pytest
from pydicom.sr._concepts_dict import concepts  # the SNOMED CT subset that DICOM publishes

from RegionReportLib.anatomy.regions import REGION_IDS, Side, region, regions, structure, structure_of_label

# In SNOMED CT but outside the subset that DICOM publishes; checked by hand.
OUTSIDE_DICOM = {"74281007": "Myocardium"}


def test_the_six_regions_are_in_report_order() -> None:
    assert REGION_IDS == ("lungs", "airways", "mediastinum", "heart_great_vessels", "bones", "upper_abdomen")


def test_every_code_means_in_snomed_what_the_table_says() -> None:
    published: dict[str, set[str]] = {}
    for entries in concepts["SCT"].values():
        for value, (meaning, *_) in entries.items():
            published.setdefault(value, set()).add(meaning)
    coded = [part.code for r in regions() for part in (r, *r.structures)]
    for code in coded:
        if code.value in OUTSIDE_DICOM:
            assert code.meaning == OUTSIDE_DICOM[code.value]
        else:
            assert code.meaning in published[code.value], code


def test_the_ten_radgenome_regions_are_each_mapped_once() -> None:
    mapped = [name for r in regions() for name in r.radgenome]
    assert sorted(mapped) == [
        "abdomen", "bone", "breast", "esophagus", "heart", "lung", "mediastinum", "pleura", "thyroid",
        "trachea and bronchie",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("lung_upper_lobe_left", "lung_upper_lobe_left"),  # TotalSegmentator
        ("left lung upper lobe", "lung_upper_lobe_left"),  # VISTA3D
        ("Rib_Right_7", "rib_right_7"),
        ("left clavicula", "clavicle_left"),
        ("esophagus", "esophagus"),
        ("inferior_vena_cava", "inferior_vena_cava"),
        ("thoracic vertebrae 5 (t5)", "vertebrae_T5"),  # SAT
    ],
)
def test_labels_of_segmenters_lead_to_structures(label: str, expected: str) -> None:
    found = structure_of_label(label)
    assert found is not None
    assert found.id == expected


def test_a_label_of_another_body_part_leads_nowhere() -> None:
    assert structure_of_label("urinary_bladder") is None


def test_ids_names_and_labels_are_unambiguous() -> None:
    parts = [s for r in regions() for s in r.structures]
    assert len({s.id for s in parts}) == len(parts)
    labels = [label for s in parts for label in s.labels]
    assert len(set(labels)) == len(labels)


def test_sides_agree_with_names_except_in_the_heart_whose_chambers_are_no_side_of_the_body() -> None:
    chambers = {"heart_atrium", "heart_ventricle", "atrial_appendage"}
    for s in (s for r in regions() for s in r.structures):
        words = s.id.split("_")
        expected = next((side for side in Side if side.value in words), None)
        assert s.side is (None if "_".join(words[:2]) in chambers else expected), s.id


def test_unknown_ids_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="brain"):
        region("brain")
    with pytest.raises(ValueError, match="tail"):
        structure("tail")


def test_windows_and_colours_are_usable() -> None:
    for r in regions():
        width, level = r.window
        assert width > 0
        assert -1024 < level < 1000
        assert all(0 <= channel <= 255 for channel in r.color_rgb)
    assert len({r.color_rgb for r in regions()}) == 6
