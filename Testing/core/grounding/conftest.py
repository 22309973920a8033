"""A small chest whose places are known by name, without any mask."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.measurement import QUANTITIES, Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence

_BOX = Box((10.0, 10.0, 10.0), (20.0, 20.0, 20.0))


class Chest:
    """Makes places, measurements, sentences and reports of one made-up scan."""

    def __init__(self, structures: tuple[tuple[str, str, Side | None], ...] = ()) -> None:
        self.places = [self.place(region_id) for region_id in REGION_IDS]
        for side in Side:
            self.places.append(self.place("lungs", side=side))
            self.places += [self.place("lungs", side=side, zone=zone) for zone in Zone]
        self.places += [self.place(r, structure=s, side=side) for r, s, side in structures]

    @staticmethod
    def place(region_id: str, **narrow: object) -> Place:
        return Place(region_id, _BOX, (15.0, 15.0, 15.0), **narrow)  # type: ignore[arg-type]

    @staticmethod
    def measured(quantity: str, region_id: str, value: float | None, **narrow: object) -> Measurement:
        name = "-".join([quantity, *(str(getattr(v, "value", v)) for v in narrow.values())])
        reason = "" if value is not None else "not measurable"
        return Measurement(name, quantity, region_id, value, QUANTITIES[quantity], "by hand", reason, **narrow)  # type: ignore[arg-type]

    def sentence(self, sentence_id: str, text: str, *places: Place, evidence: tuple[str, ...] = ()) -> Sentence:
        anchors = tuple(Anchor(place, AnchorSource.MODEL) for place in places)
        regions = tuple(dict.fromkeys(place.region_id for place in places))
        origin = Origin(Author.MODEL, "a model")
        return Sentence(sentence_id, text, regions, anchors, Polarity.PRESENT, origin, evidence)

    def report(self, *sentences: Sentence, measurements: tuple[Measurement, ...] = (), **changes: object) -> Report:
        values: dict[str, object] = {
            "id": "r",
            "study": Study("scan", "0" * 64, Grid((40, 40, 40), np.eye(4))),
            "coverage": dict.fromkeys(REGION_IDS, Coverage.COMPLETE),
            "coverage_notes": {},
            "places": tuple(self.places),
            "measurements": measurements,
            "sentences": sentences,
            "writer": "by hand",
            "segmenter": "by hand",
            "created_at": "2026-01-01T00:00:00+00:00",
        }
        return Report(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def chest() -> Chest:
    return Chest(
        (
            ("airways", "trachea", None),
            ("heart_great_vessels", "heart", None),
            ("heart_great_vessels", "aorta", None),
            ("mediastinum", "esophagus", None),
            ("bones", "vertebrae_T7", None),
            ("upper_abdomen", "liver", None),
            ("upper_abdomen", "kidney_right", Side.RIGHT),
            ("upper_abdomen", "kidney_left", Side.LEFT),
        )
    )


@pytest.fixture
def chest_with_lobes() -> Chest:
    lobes = ("lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right")
    return Chest(
        (
            *(("lungs", lobe, Side.RIGHT) for lobe in lobes),
            ("lungs", "lung_upper_lobe_left", Side.LEFT),
            ("lungs", "lung_lower_lobe_left", Side.LEFT),
            ("lungs", "pleural_effusion_left", Side.LEFT),
        )
    )
