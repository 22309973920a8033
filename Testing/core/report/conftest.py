"""A report with every kind of sentence, and clocks and drafts for the tests of its life."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence
from RegionReportLib.report.store import create_draft

LUNGS = Place("lungs", Box((-90, -60, 0), (90, 60, 200)), (40, 0, 90))
RIGHT = Place("lungs", Box((5, -60, 0), (90, 60, 200)), (40, 0, 90), "lung_right", Side.RIGHT)
RIGHT_LOW = Place("lungs", Box((5, -60, 0), (90, 60, 66)), (40, 0, 30), "lung_right", Side.RIGHT, Zone.LOWER)
HEART = Place("heart_great_vessels", Box((-50, 0, 20), (30, 70, 130)), (-10, 30, 60))
BONES = Place("bones", Box((-99, -80, 0), (99, 80, 200)), (0, -60, 90))


def anchored(*places: Place) -> tuple[Anchor, ...]:
    return tuple(Anchor(place, AnchorSource.MEASUREMENT) for place in places)


@pytest.fixture(scope="session")
def drafted() -> Report:
    """Five sentences: measured in the right lung, model in both lungs, imported without place, measured, model."""
    measured, model = Origin(Author.MEASURED), Origin(Author.MODEL, "demo@abc")
    side_flag = Flag(FlagKind.SIDE, "left in the text, right in the image", True, (), ("m1",))
    sentences = (
        Sentence(
            "s1",
            "Right pleural fluid 310 mL.",
            ("lungs",),
            anchored(RIGHT_LOW),
            Polarity.PRESENT,
            measured,
            ("m1",),
            (0, 19),
        ),
        Sentence(
            "s2",
            "No nodule in the left lung – größer als 4 mm.",
            ("lungs",),
            anchored(LUNGS),
            Polarity.ABSENT,
            model,
            (),
            (3, 9),
            flags=(side_flag,),
        ),
        Sentence("s3", "Compared with the earlier scan.", (), (), Polarity.UNCERTAIN, Origin(Author.IMPORTED)),
        Sentence(
            "s4",
            "Cardiothoracic ratio 0.56.",
            ("heart_great_vessels",),
            anchored(HEART),
            Polarity.PRESENT,
            measured,
            ("m2",),
        ),
        Sentence("s5", "Old rib fractures.", ("bones",), anchored(BONES), Polarity.PRESENT, model),
    )
    measurements = (
        Measurement("m1", "fluid_volume", "lungs", 310, "mL", "counted", side=Side.RIGHT, place=RIGHT_LOW),
        Measurement("m2", "cardiothoracic_ratio", "heart_great_vessels", 0.56, "1", "widths"),
    )
    affine = np.array([[0, -0.7, 0.1, 5], [0.7, 0, 0, 6], [0, 0.1, 2.5, 7], [0, 0, 0, 1]])
    return Report(
        id="report-1",
        study=Study("ct.nii.gz", "ab" * 32, Grid((30, 40, 50), affine)),
        coverage=dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL},
        coverage_notes={"upper_abdomen": "cut at the bottom"},
        places=(LUNGS, RIGHT, RIGHT_LOW, HEART, BONES),
        measurements=measurements,
        sentences=sentences,
        writer="measured",
        segmenter="classical",
        created_at="2026-01-01T00:00:00+00:00",
    )


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """A clock that goes on by one second each time it is asked."""
    ticks = iter(range(10**9))
    return lambda: datetime(2026, 1, 2, tzinfo=timezone.utc) + timedelta(seconds=next(ticks))


@pytest.fixture
def folder(tmp_path: Path, drafted: Report, clock: Callable[[], datetime]) -> Path:
    """A fresh draft on disk."""
    create_draft(tmp_path / "draft", drafted, actor="writer", clock=clock)
    return tmp_path / "draft"
