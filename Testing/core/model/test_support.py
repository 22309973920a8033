"""The support score: a cosine, one patch among many, the sign of a denial, and what calibration may change."""

from __future__ import annotations

import pytest
import torch

from RegionReportLib.model.structure_queries import Observation
from RegionReportLib.model.support import Support, platt


def observed(embedding: torch.Tensor, patches: torch.Tensor, inside: torch.Tensor) -> Observation:
    none = torch.zeros(0)
    return Observation(none, embedding, none, inside, patches)


def test_support_is_a_calibrated_cosine_where_no_patch_counts() -> None:
    support = Support(2)
    with torch.no_grad():
        support.log_scale.fill_(float(torch.log(torch.tensor(4.0))))
        support.offset.fill_(-1.0)
        support.reading.weight.zero_()
        support.reading.bias.zero_()
    regions = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    seen = observed(regions, torch.eye(2), torch.zeros(2, 2))
    text = torch.tensor([[1.0, 0.0]] * 2)
    # 4 · 0.6 − 1 for the second region, 4 · 1 − 1 for the first
    assert torch.allclose(support(text, torch.tensor([1, 0]), seen), torch.tensor([1.4, 3.0]))


def test_support_finds_one_patch_among_many_inside_the_region_only() -> None:
    support = Support(2)
    with torch.no_grad():
        support.subject.weight.copy_(torch.eye(2))
        support.reading.weight.zero_()
        support.reading.bias.copy_(torch.tensor([1.0, 0.0]))
        support.log_sharpness.fill_(4.0)
        support.mask_gain.fill_(200.0)
    none, lesion = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])
    patches, inside = none.repeat(500, 1), torch.zeros(2, 500)
    patches[7] = lesion
    inside[0, :10] = 1  # the lesion's own region
    inside[1, 10:] = 1  # another one
    regions = torch.tensor([[0.0, 1.0]] * 2)
    with torch.no_grad():
        own, other = support(lesion[None].expand(2, 2), torch.tensor([0, 1]), observed(regions, patches, inside))
        support.reading.bias.copy_(torch.tensor([-1.0, 0.0]))  # a sentence that denies
        denied, denied_other = support(
            lesion[None].expand(2, 2), torch.tensor([0, 1]), observed(regions, patches, inside)
        )
    assert own == pytest.approx(10.0, abs=0.1)
    assert other == pytest.approx(0.0, abs=0.1)
    assert denied == pytest.approx(-10.0, abs=0.1)
    assert denied_other == pytest.approx(0.0, abs=0.1)


def test_calibration_finds_factor_and_shift_of_scores_that_are_too_sure() -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(4000, generator=generator, dtype=torch.double) * 2
    true = (torch.rand(4000, generator=generator, dtype=torch.double) < honest.sigmoid()).double()
    factor, shift = platt(3 * honest + 1, true)  # honest = (x − 1) / 3
    assert factor == pytest.approx(1 / 3, rel=0.1)
    assert shift == pytest.approx(-1 / 3, abs=0.1)


def test_calibration_moves_scores_and_not_their_order() -> None:
    torch.manual_seed(0)
    support = Support(4)
    regions, patches = torch.randn(2, 4), torch.randn(6, 4)
    seen, text, rows = observed(regions, patches, torch.rand(2, 6)), torch.randn(40, 4), torch.arange(40) % 2
    true = (torch.rand(40) < 0.5).float()
    with torch.no_grad():
        before = support(text, rows, seen)
        factor, shift = platt(before.double(), true.double())
        support.calibrate(before, true)
        after = support(text, rows, seen)
    assert torch.allclose(after, factor * before + shift, atol=1e-4)
    assert torch.equal(after.argsort(), before.argsort())
    with pytest.raises(ValueError, match="hold"):
        support.calibrate(before, torch.ones(40))
