"""What is asked of regions and patches directly: the targets by hand, and that the losses follow them."""

from __future__ import annotations

import math

import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.model.structure_queries import Observation
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


def observation(queries: torch.Tensor) -> Observation:
    nothing = torch.zeros(len(queries), 1)
    return Observation(queries[:, None], nothing, nothing, nothing, nothing)


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


def test_at_first_every_finding_is_held_for_rare() -> None:
    heads = FindingHeads(LABELS, REGION_IDS, 4, 4)
    for weight in (heads.of_region.weight, heads.of_patch[1].weight):
        torch.nn.init.zeros_(weight)
    surprise = math.log1p(math.exp(-AT_FIRST))  # of one that is there, which weighs three times as much
    calm = math.log1p(math.exp(AT_FIRST))
    shown = [Shown("lungs", "nodule", frozenset({"left"}), torch.tensor([[0.5, 0.5, 0.25, 1.0, 1.0, 0.5]]))]
    # Asked: nodule, left and right of the lungs, fracture of the bones; two of the four hold.
    asked = heads.region_loss(observation(torch.zeros(6, 4)), shown)
    assert float(asked.detach()) == pytest.approx((2 * 3 * surprise + 2 * calm) / 4, rel=1e-5)
    # Of two patches one lies on the nodule; the fracture is on neither.
    placed = heads.place_loss(torch.zeros(2, 4, 1, 1), shown)
    assert float(placed.detach()) == pytest.approx((3 * surprise + 3 * calm) / 2, rel=1e-5)


def test_the_heads_learn_from_queries_and_patches() -> None:
    torch.manual_seed(0)
    heads = FindingHeads(LABELS, REGION_IDS, 4, 4)
    queries, patches = torch.randn(6, 4, requires_grad=True), torch.randn(2, 4, 3, 3, requires_grad=True)
    shown = [Shown("bones", "fracture", frozenset(), torch.tensor([[0.5, 0.5, 0.5, 1.0, 1.0, 1.0]]))]
    (heads.region_loss(observation(queries), shown) + heads.place_loss(patches, shown)).backward()
    assert queries.grad is not None
    assert patches.grad is not None
    asked_of = [REGION_IDS.index("lungs"), REGION_IDS.index("bones")]
    assert [n for n in range(6) if queries.grad[n].any()] == sorted(asked_of)
    assert patches.grad.abs().amin(dim=1).min() > 0
