"""A real scan with a known nodule, segmented, measured and put into words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.draft.measured_writer import write_measured
from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.measure import measure
from RegionReportLib.progress import finish
from RegionReportLib.segment.classical import ClassicalSegmenter


@pytest.mark.real_data
@pytest.mark.slow
def test_the_nodule_of_lidc_0001_is_pointed_at_and_not_denied(real_data: Path) -> None:
    folder = real_data / "lidc-0001"
    volume = finish(read_volume(folder / "ct.nii.gz"))
    masks = finish(ClassicalSegmenter().segment(volume))
    found = finish(measure(volume, masks))
    sentences = write_measured(found, masks.coverage, masks.coverage_notes, finish(places_of(masks)))
    nodule = json.loads((folder / "nodules.json").read_text())["nodules"][0]
    size = next(m for m in found if m.quantity == "dense_component_volume" and m.side is Side.LEFT)
    (focus,) = (s for s in sentences if size.id in s.evidence)
    assert focus.anchors[-1].place.box.contains(nodule["centroid_ras_mm"])
    assert "nodule" in focus.text
    assert size.value == pytest.approx(nodule["consensus_volume_mm3"] / 1000, rel=0.25)
    assert not any("no nodule" in s.text.lower() for s in sentences)
    assert "Contrast in the vessels" in " ".join(s.text for s in sentences)
    calcium = next(m for m in found if m.quantity == "calcium_volume")
    assert (calcium.value, calcium.reason) == (None, "contrast in the vessels")
