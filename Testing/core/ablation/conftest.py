"""What the tests of the ablation share: two patients made by hand, and a small network that says known words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.ablation.order import Order
from RegionReportLib.ablation.rows import ALL, MEASURED, NORMAL
from RegionReportLib.ablation.told import JudgedClaim, PatientRecord, ToldReport, ToldSentence
from RegionReportLib.anatomy.regions import Side
from RegionReportLib.evaluate.existence import ConfidentBox
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import CaseSentence, Topic
from RegionReportLib.train.recipe import Data

from known_words import save_model

SHAPE, FIRST = (24, 48, 48), 41


def cube(x: float) -> Box:
    return Box((x, 0.0, 0.0), (x + 10.0, 10.0, 10.0))


def present(region: str, text: str, kind: str, *boxes: Box, side: Side | None = None) -> CaseSentence:
    return CaseSentence(region, text, boxes, (Topic(kind, Polarity.PRESENT, (side,) if side else ()),))


NODULE = present("lungs", "Nodule of 10 mm in the left upper lobe.", "nodule", cube(0), side=Side.LEFT)
HEART = present("heart_great_vessels", "The heart is enlarged.", "cardiomegaly")
EFFUSION = present("lungs", "Right pleural effusion.", "effusion", cube(50), side=Side.RIGHT)


def told(*sentences: ToldSentence, seconds: float | None = 2.0) -> ToldReport:
    return ToldReport(sentences, seconds)


@pytest.fixture
def records() -> list[PatientRecord]:
    """Two patients: one with a nodule and a large heart, one with a right effusion; see the tests for the counts."""
    found = (ConfidentBox(cube(2), 0.9), ConfidentBox(cube(100), 0.8), ConfidentBox(cube(200), 0.2))
    one = told(
        ToldSentence("lungs", "Nodule of 10 mm in the left lung.", False, found, 0.9),
        ToldSentence("heart_great_vessels", "Heart not enlarged.", True, support=0.2),
        ToldSentence("bones", "The ribs are intact.", support=0.1),
    )
    other = told(ToldSentence("lungs", "Left pleural effusion.", True, support=0.5))
    nothing = told(ToldSentence("lungs", "No nodule.", True), seconds=None)
    right = told(ToldSentence("lungs", "Right pleural effusion.", False), seconds=None)
    blind = told(ToldSentence("lungs", "Possible nodule on the left.", False))
    return [
        PatientRecord(
            7,
            (NODULE, HEART),
            (JudgedClaim("true", 0.8), JudgedClaim("side", 0.3)),
            {ALL: one, "no-mask": blind, NORMAL: nothing, MEASURED: nothing},
        ),
        PatientRecord(
            8,
            (EFFUSION,),
            (JudgedClaim("true", 0.4), JudgedClaim("added", 0.6)),
            {ALL: other, "no-mask": told(), NORMAL: nothing, MEASURED: right},
        ),
    ]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says of every region of everybody: a nodule in the left lung, with boxes; no pleural effusion."""
    folder = save_model(tmp_path_factory.mktemp("model"))
    card = {"data": {"train": [1, 20], "validation": [30, 5], "shape_kji": list(SHAPE), "evenness": 1.0}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where made patients are kept, for all tests."""
    return tmp_path_factory.mktemp("cases")


@pytest.fixture
def order(model: Path, cache: Path) -> Order:
    """Three small patients in three ways."""
    return Order(model, Data(shape_kji=SHAPE, evenness=1.0), FIRST, 3, ("even", "all", "no-mask"), cache)
