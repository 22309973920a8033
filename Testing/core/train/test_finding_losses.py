"""What is asked of regions and patches directly: the targets by hand, and that the losses follow them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import CaseSentence, Topic
from RegionReportLib.train.example import Shown
from RegionReportLib.train.finding_losses import (
    AT_FIRST,
    ENOUGH,
    FindingHeads,
    labels_of,
    region_targets,
)

RIGHT, LEFT = Side.RIGHT, Side.LEFT


def said(region_id: str, *topics: Topic) -> CaseSentence:
    return CaseSentence(region_id, "words", (), topics)


LABELS = labels_of(
    [
        said("lungs", Topic("nodule", Polarity.PRESENT, (RIGHT,)), Topic("effusion", Polarity.ABSENT)),
        said("lungs", Topic("nodule", Polarity.UNCERTAIN, (LEFT,))),
        said("bones", Topic("fracture", Polarity.PRESENT)),
    ]
)


def test_labels_are_what_is_ever_affirmed_with_its_sides() -> None:
    assert LABELS.kinds == ("fracture", "nodule")
    assert LABELS.names == (("fracture", ""), ("nodule", ""), ("nodule", "left"), ("nodule", "right"))
    assert LABELS.asked == {("bones", LABELS.names[0]), *(("lungs", name) for name in LABELS.names[1:])}


def test_a_region_has_the_findings_and_sides_that_were_affirmed_of_it() -> None:
    shown = [Shown("lungs", "nodule", frozenset({"left"}))]
    true, known = region_targets(LABELS, ("lungs", "bones"), shown)
    assert true.tolist() == [[False, True, True, False], [False] * 4]
    assert known.all()


def test_sides_are_unknown_where_none_is_named() -> None:
    true, known = region_targets(LABELS, ("lungs",), [Shown("lungs", "nodule", frozenset())])
    assert true.tolist() == [[False, True, False, False]]
    assert known.tolist() == [[True, True, False, False]]


def heads_of(config: ModelConfig) -> FindingHeads:
    torch.manual_seed(0)
    return FindingHeads(LABELS, config)


def test_at_first_every_finding_is_held_for_rare(config: ModelConfig) -> None:
    heads = heads_of(config)
    assert set(heads.of_regions) == {"mask_token", "texture", "structure_tokens"}
    surprise = math.log1p(math.exp(-AT_FIRST))  # of one that is there, which weighs three times as much
    calm = math.log1p(math.exp(AT_FIRST))
    shown = [Shown("lungs", "nodule", frozenset({"left"}))]
    # Nothing is seen in zeros. Asked: nodule, left and right of the lungs, fracture of the bones; two of the four hold.
    asked = heads.region_loss(torch.zeros(6, config.region_tokens - 2, 32), shown)
    assert float(asked.detach()) == pytest.approx((2 * 3 * surprise + 2 * calm) / 4, rel=1e-5)
    # Of the eight cells of two patches the nodule lies on one, and half of what is enough on another.
    cover = torch.zeros(2, 2, 2)
    cover[0, 0, 0], cover[1, 0, 1] = 255, 255 * ENOUGH / 2
    placed = heads.place_loss(torch.zeros(2, 16, 1, 1), {"nodule": cover})
    assert float(placed.detach()) == pytest.approx((1.5 * 3 * surprise + 14.5 * calm) / 8, rel=1e-5)


def test_a_cell_is_asked_of_its_own_patch(config: ModelConfig) -> None:
    heads = heads_of(config)
    patches = torch.randn(1, 16, 2, 3)
    with torch.no_grad():
        out = heads.of_patch[1](heads.of_patch[0](patches[0, :, 1, 2]))  # kinds × 2 × 2 of the last patch
        cover = torch.zeros(1, 4, 6)
        before = heads.place_loss(patches, {"nodule": cover})
        cover[0, 3, 4] = 255  # its lower left cell
        after = heads.place_loss(patches, {"nodule": cover})
    logit = float(out.reshape(2, 2, 2)[LABELS.kinds.index("nodule"), 1, 0])
    change = 3 * math.log1p(math.exp(-logit)) - math.log1p(math.exp(logit))
    assert float(after - before) == pytest.approx(change / 24, rel=1e-3)


def test_each_part_that_shows_something_learns_and_of_the_regions_that_are_asked(config: ModelConfig) -> None:
    heads = heads_of(config)
    tokens = torch.randn(6, config.region_tokens - 2, 32, requires_grad=True)
    patches = torch.randn(2, 16, 3, 3, requires_grad=True)
    shown = [Shown("bones", "fracture", frozenset())]
    (heads.region_loss(tokens, shown) + heads.place_loss(patches, {})).backward()
    assert tokens.grad is not None
    assert patches.grad is not None
    learning = tokens.grad.abs().amax(dim=2) > 0  # (regions, tokens): mask, spatial, texture 2, geometry, structure 3
    asked_of = {REGION_IDS.index("lungs"), REGION_IDS.index("bones")}
    for n in range(6):
        assert learning[n].tolist() == [n in asked_of and column not in (1, 4) for column in range(8)]
    assert patches.grad.abs().amin(dim=1).min() > 0


def test_a_part_that_is_off_is_not_asked(config: ModelConfig) -> None:
    less = replace(config, parts=replace(config.parts, texture=False))
    assert set(heads_of(less).of_regions) == {"mask_token", "structure_tokens"}
