"""A phantom becomes a case: its scan, its measurements as attributes, its true sentences with their boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.phantom.study import training_case
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import Case
from RegionReportLib.train.phantom_source import PhantomSource
from RegionReportLib.train.recipe import Data

from .conftest import tiny_config

DATA = Data(shape_kji=(32, 48, 48), wordings=3, evenness=1.0)
SEED = 41


@pytest.fixture(scope="module")
def case() -> Case:
    return PhantomSource(tiny_config(), DATA, SEED - 1, 5).case(1)


def test_the_sentences_are_those_of_the_phantom_with_its_boxes(case: Case) -> None:
    phantom = training_case(SEED, DATA.shape_kji, evenness=DATA.evenness)
    said = [s for text in phantom.texts.values() for s in text.sentences]
    assert [(s.region_id, s.text) for s in case.wordings[0]] == [(s.region_id, s.text) for s in said]
    for kept, true in zip(case.wordings[0], said, strict=True):
        assert kept.boxes == phantom.boxes(true)
        assert [(t.kind, t.polarity, t.sides) for t in kept.topics] == [
            (c.kind.value, c.polarity, c.sides) for c in true.claims
        ]
    assert any(s.boxes for s in case.wordings[0])


def test_other_wordings_tell_of_the_same_findings_in_other_words(case: Case) -> None:
    found = [
        {t.kind for s in wording for t in s.topics if t.polarity is not Polarity.ABSENT} for wording in case.wordings
    ]
    assert len(case.wordings) == 3
    assert found[0] and found[0] == found[1] == found[2]
    assert len({tuple(s.text for s in wording) for wording in case.wordings}) == 3


def test_the_network_sees_the_scan_and_what_was_measured_on_it(case: Case) -> None:
    assert case.id == f"phantom-{SEED}"
    assert case.inputs.slices.shape == (8, 3, 24, 24)
    assert all(int(mask.max()) > 0 for mask in case.inputs.masks[:5])
    assert case.inputs.attributes[0].startswith("Lungs: ")
    assert "volume" in case.inputs.attributes[0]


def test_covers_hold_the_volumes_of_the_lesions_where_their_boxes_are(case: Case) -> None:
    phantom = training_case(SEED, DATA.shape_kji, evenness=DATA.evenness)
    assert case.covers is not None
    assert set(case.covers) == {lesion.planted.kind.value for lesion in phantom.lesions}
    frame = case.inputs.frame
    cell_ml = frame.voxel_ml * 2 * 2  # patches of four pixels, two cells to each edge
    for kind, cover in case.covers.items():
        own = [lesion for lesion in phantom.lesions if lesion.planted.kind.value == kind]
        volume_ml = sum(lesion.volume_ml for lesion in own)
        assert float(cover.double().sum()) / 255 * cell_ml == pytest.approx(volume_ml, rel=0.3, abs=8 * frame.voxel_ml)
        cells = np.argwhere(cover.numpy() > 0) * (1, 2, 2) + (0, 0.5, 0.5)
        for x, y, z in frame.to_ras(cells[:, ::-1]):
            assert any(near(lesion.box, (x, y, z), frame) for lesion in own), kind


def near(box: Box, point: tuple[float, float, float], frame: Grid) -> bool:
    cell = np.array(frame.spacing_mm) * (2, 2, 1)
    gap = np.maximum(np.array(box.min_mm) - point, point - np.array(box.max_mm))
    return bool((gap <= cell).all())


def test_the_name_tells_what_a_kept_case_depends_on(config: ModelConfig) -> None:
    one = PhantomSource(config, DATA, 5, 10)
    assert PhantomSource(config, DATA, 5, 99).name == one.name  # more seeds are more of the same
    assert PhantomSource(config, DATA, 6, 10).name != one.name
    assert PhantomSource(config, replace(DATA, evenness=0.1), 5, 10).name != one.name
    assert PhantomSource(replace(config, attribute_tokens=3), DATA, 5, 10).name == one.name
    with pytest.raises(IndexError, match="patient 10 of 10"):
        one.case(10)
