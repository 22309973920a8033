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
    FindingHeads,
    labels_of,
    lies_on,
    patch_targets,
    region_targets,
)

RIGHT, LEFT = Side.RIGHT, Side.LEFT
NOWHERE = torch.zeros(0, 6)


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
    shown = [Shown("lungs", "nodule", frozenset({"left"}), NOWHERE)]
    true, known = region_targets(LABELS, ("lungs", "bones"), shown)
    assert true.tolist() == [[False, True, True, False], [False] * 4]
    assert known.all()


def test_sides_are_unknown_where_none_is_named() -> None:
    true, known = region_targets(LABELS, ("lungs",), [Shown("lungs", "nodule", frozenset(), NOWHERE)])
    assert true.tolist() == [[False, True, False, False]]
    assert known.tolist() == [[True, True, False, False]]


def test_a_patch_lies_on_a_box_that_covers_enough_of_it_or_that_lies_in_it() -> None:
    # Along i the box reaches from 0.1 to 0.6 of four patches: 0.15, 0.25 and 0.1 of their 0.25 each.
    wide = lies_on(torch.tensor([0.35, 0.5, 0.5, 0.5, 1.0, 1.0]), (1, 1, 4))
    assert wide[0, 0].tolist() == [True, True, True, False]
    narrow = lies_on(torch.tensor([0.31, 0.5, 0.5, 0.42, 1.0, 1.0]), (1, 1, 4))  # 0.1 to 0.52: 0.02 of the third
    assert narrow[0, 0].tolist() == [True, True, False, False]
    small = lies_on(torch.tensor([0.9, 0.1, 0.6, 0.01, 0.01, 0.01]), (2, 2, 4))
    assert small.nonzero().tolist() == [[1, 0, 3]]


def test_places_of_a_finding_are_known_only_where_they_are_given() -> None:
    box = torch.tensor([[0.5, 0.5, 0.25, 1.0, 1.0, 0.5]])
    true, known = patch_targets(
        ("fracture", "nodule"),
        [Shown("lungs", "nodule", frozenset(), box), Shown("bones", "fracture", frozenset(), NOWHERE)],
        (2, 1, 1),
    )
    assert true[:, 0, 0].tolist() == [[False, True], [False, False]]
    assert known.tolist() == [False, True]


def heads_of(config: ModelConfig) -> FindingHeads:
    torch.manual_seed(0)
    return FindingHeads(LABELS, config)


def test_at_first_every_finding_is_held_for_rare(config: ModelConfig) -> None:
    heads = heads_of(config)
    assert set(heads.of_regions) == {"mask_token", "texture", "structure_tokens"}
    surprise = math.log1p(math.exp(-AT_FIRST))  # of one that is there, which weighs three times as much
    calm = math.log1p(math.exp(AT_FIRST))
    shown = [Shown("lungs", "nodule", frozenset({"left"}), torch.tensor([[0.5, 0.5, 0.25, 1.0, 1.0, 0.5]]))]
    # Nothing is seen in zeros. Asked: nodule, left and right of the lungs, fracture of the bones; two of the four hold.
    asked = heads.region_loss(torch.zeros(6, config.region_tokens - 2, 32), shown)
    assert float(asked.detach()) == pytest.approx((2 * 3 * surprise + 2 * calm) / 4, rel=1e-5)
    # Of two patches one lies on the nodule; the fracture is on neither.
    placed = heads.place_loss(torch.zeros(2, 16, 1, 1), shown)
    assert float(placed.detach()) == pytest.approx((3 * surprise + 3 * calm) / 2, rel=1e-5)


def test_each_part_that_shows_something_learns_and_of_the_regions_that_are_asked(config: ModelConfig) -> None:
    heads = heads_of(config)
    tokens = torch.randn(6, config.region_tokens - 2, 32, requires_grad=True)
    patches = torch.randn(2, 16, 3, 3, requires_grad=True)
    shown = [Shown("bones", "fracture", frozenset(), torch.tensor([[0.5, 0.5, 0.5, 1.0, 1.0, 1.0]]))]
    (heads.region_loss(tokens, shown) + heads.place_loss(patches, shown)).backward()
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
