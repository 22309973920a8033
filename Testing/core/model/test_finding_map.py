"""What patches answer about findings, and the token that sums it up."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from RegionReportLib.model.finding_map import FindingMap, summary
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.network import RegionReporter

Make = Callable[..., RegionReporter]


def test_each_half_tells_its_surest_cell_and_how_many_there_are() -> None:
    logits = torch.full((2, 2, 4, 1), -40.0)
    logits[1, 0, 0] = math.log(0.9 / 0.1)  # right: one cell of eight at 0.9
    logits[0, :, 2] = math.log(0.6 / 0.4)  # left: two of eight at 0.6
    right = [0.9, math.log(1 + 100 * 0.9 / 8)]
    left = [0.6, math.log(1 + 100 * 2 * 0.6 / 8)]
    assert summary(logits).tolist() == pytest.approx([*right, *left], rel=1e-5)


def test_the_kinds_stand_side_by_side() -> None:
    logits = torch.full((1, 1, 2, 3), -40.0)
    logits[0, 0, 0, 1] = 40.0  # the second kind, on the right, in the only cell
    said = summary(logits)
    assert (said > 1e-6).nonzero()[:, 0].tolist() == [1, 4]
    assert float(said[4]) == pytest.approx(math.log(101))


def test_a_cell_answers_from_its_own_patch() -> None:
    torch.manual_seed(0)
    asked = FindingMap(3, patch_width=8, width=5)
    patches = torch.randn(2, 8, 2, 3)
    before = asked(patches)
    patches[1, :, 1, 2] += torch.randn(8)
    changed = (asked(patches) != before).any(dim=-1)
    assert before.shape == (2, 4, 6, 3)
    assert changed.nonzero().tolist() == [[1, 2, 4], [1, 2, 5], [1, 3, 4], [1, 3, 5]]


def test_every_region_is_shown_the_token_and_only_where_findings_are_known(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    model = toy_reporter(findings=("nodule", "effusion"))
    plain = toy_reporter()
    assert model.region_prompt(toy_study, "lungs").shape[1] == plain.region_prompt(toy_study, "lungs").shape[1] + 1
    seen = model.encode(toy_study)
    token = model.visual.finding_map.token(seen.patches)
    assert torch.allclose(seen.region_tokens[:, -1], token.expand(6, -1))
    assert not model.encode(seen, {"finding_token"}).region_tokens[:, -1].any()
