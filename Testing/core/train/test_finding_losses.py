"""What is asked of regions and patches directly: the targets by hand, and that the losses follow them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.model.finding_map import RARE_LOGIT
from RegionReportLib.model.plan import Plan
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import CaseSentence, Topic
from RegionReportLib.train.example import Shown
from RegionReportLib.train.finding_losses import (
    ENOUGH,
    FindingHeads,
    labels_of,
    place_loss,
    plan_loss,
    region_targets,
)

RIGHT, LEFT = Side.RIGHT, Side.LEFT
SURPRISE = math.log1p(math.exp(-RARE_LOGIT))  # of one that is there, which weighs three times as much
CALM = math.log1p(math.exp(RARE_LOGIT))


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
    true, known = region_targets(LABELS.names, ("lungs", "bones"), shown)
    assert true.tolist() == [[False, True, True, False], [False] * 4]
    assert known.all()


def test_sides_are_unknown_where_none_is_named() -> None:
    true, known = region_targets(LABELS.names, ("lungs",), [Shown("lungs", "nodule", frozenset())])
    assert true.tolist() == [[False, True, False, False]]
    assert known.tolist() == [[True, True, False, False]]


def heads_of(config: ModelConfig) -> FindingHeads:
    torch.manual_seed(0)
    return FindingHeads(LABELS, config)


def test_at_first_every_finding_is_held_for_rare(config: ModelConfig) -> None:
    heads = heads_of(config)
    assert set(heads.of_regions) == {"mask_token", "texture", "structure_tokens"}
    # Nothing is seen in zeros. Asked: nodule, left and right of the lungs, fracture of the bones; two of the four hold.
    asked = heads.loss(torch.zeros(6, config.region_tokens - 2, 32), [Shown("lungs", "nodule", frozenset({"left"}))])
    assert float(asked.detach()) == pytest.approx((2 * 3 * SURPRISE + 2 * CALM) / 4, rel=1e-5)


def test_cells_follow_what_a_finding_covers_of_them() -> None:
    # Of eight cells the nodule lies on one, and half of what is enough on another; the fracture is on none.
    cover = torch.zeros(2, 2, 2)
    cover[0, 0, 0], cover[1, 0, 1] = 255, 255 * ENOUGH / 2
    logits = torch.full((2, 2, 2, 2), RARE_LOGIT)
    loss = place_loss(logits, LABELS.kinds, {"nodule": cover})
    assert float(loss) == pytest.approx((1.5 * 3 * SURPRISE + 14.5 * CALM) / 8, rel=1e-5)
    logits[0, 0, 0, 1] = 20.0
    better = place_loss(logits, LABELS.kinds, {"nodule": cover})
    assert float(loss - better) == pytest.approx(3 * SURPRISE / 8, rel=1e-4)


def test_each_part_that_shows_something_learns_and_of_the_regions_that_are_asked(config: ModelConfig) -> None:
    tokens = torch.randn(6, config.region_tokens - 2, 32, requires_grad=True)
    heads_of(config).loss(tokens, [Shown("bones", "fracture", frozenset())]).backward()
    assert tokens.grad is not None
    learning = tokens.grad.abs().amax(dim=2) > 0  # (regions, tokens): mask, spatial, texture 2, geometry, structure 3
    asked_of = {REGION_IDS.index("lungs"), REGION_IDS.index("bones")}
    for n in range(6):
        assert learning[n].tolist() == [n in asked_of and column not in (1, 4) for column in range(8)]


def test_a_part_that_is_off_is_not_asked(config: ModelConfig) -> None:
    less = replace(config, parts=replace(config.parts, texture=False))
    assert set(heads_of(less).of_regions) == {"mask_token", "structure_tokens"}


def test_a_plan_is_asked_for_what_is_ever_said_of_its_region() -> None:
    torch.manual_seed(0)
    plan = Plan(LABELS.kinds, REGION_IDS, 32)
    plan.limit(LABELS.asked)
    states = torch.randn(3, 32, requires_grad=True)
    loss = plan_loss(plan, states, ("lungs", "bones", "airways"), [Shown("bones", "fracture", frozenset())])
    with torch.no_grad():
        lungs, bones = plan(states[:2]).double()
    # Of fracture and nodule, each with two sides: three names of the lungs, of which none holds, and the fracture of
    # the bones, which weighs three times. Of the airways nothing is ever said.
    calm = torch.log1p(lungs[3:].exp()).sum()
    there = 3 * torch.log1p((-bones[0]).exp())
    assert float(loss.detach()) == pytest.approx(float(calm + there) / 4, rel=1e-4)
    loss.backward()
    assert states.grad is not None
    assert states.grad.any(dim=1).tolist() == [True, True, False]
