"""Each part alone carries what tells two patients apart to the words that are written; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from RegionReportLib.model.config import MaskConfig, ModelConfig, Parts, SliceChoice
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.network import Claim, RegionReporter, TrainingStudy

pytestmark = pytest.mark.slow
Make = Callable[..., RegionReporter]
NONE = Parts(False, SliceChoice.NONE, False, False, False, False, False, False, False)
STEPS = 50
REGIONS = ("lungs", "airways")
ONE, OTHER = "Nodule.", "Effusion."


@pytest.fixture
def make(toy_reporter: Make, toy_config: ModelConfig) -> Make:
    """Builds the toy network for two regions, its readers wide and lively enough to learn in a second."""
    lively = {"hidden_size": 32, "initializer_range": 0.2}
    language, text = (
        replace(one, settings={**one.settings, **lively}) for one in (toy_config.language, toy_config.structure.text)
    )
    structure = replace(toy_config.structure, text=text)
    return lambda **changed: toy_reporter(
        language=language,
        structure=structure,
        mask=MaskConfig((2, 3, 3), hidden=32),
        regions=REGIONS,
        box=None,
        **changed,
    )


def two_patients(study: StudyInputs) -> list[TrainingStudy]:
    """Two patients who differ in everything that can be seen, one with a nodule and one with an effusion."""
    one = replace(study, masks=study.masks[:2], crops=study.crops[:2], regions=REGIONS, slots=REGIONS)
    other = replace(
        one,
        slices=255 - one.slices,
        masks=one.masks.flip(1, 2),
        crops=255 - one.crops,
        attributes=("Lungs: volume 1200.0 mL.",),
    )
    return [TrainingStudy(one, {"lungs": ONE}), TrainingStudy(other, {"lungs": OTHER})]


def unlikeliness(model: RegionReporter, batch: list[TrainingStudy]) -> torch.Tensor:
    """Return for each study the summed negative log-probability of its words."""
    written = model(batch, contrast=False).written
    assert written is not None
    each = torch.nn.functional.cross_entropy(
        written.logits[:, :-1].transpose(1, 2), written.labels[:, 1:], reduction="none"
    )
    return each.sum(dim=1)


def preference(model: RegionReporter, batch: list[TrainingStudy]) -> list[float]:
    """Return how much likelier each patient's own text is than the other's, natural log, after a short training."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    model.train()
    for _ in range(STEPS):
        optimizer.zero_grad()
        unlikeliness(model, batch).mean().backward()
        optimizer.step()
    model.eval()
    swapped = [replace(one, texts=other.texts) for one, other in zip(batch, reversed(batch), strict=True)]
    with torch.inference_mode():
        gap: list[float] = (unlikeliness(model, swapped) - unlikeliness(model, batch)).tolist()
    return gap


@pytest.mark.parametrize(
    "alone",
    [
        {"global_tokens": True},
        {"region_slices": SliceChoice.BY_MASK},
        {"region_slices": SliceChoice.EVEN},
        {"mask_token": True},
        {"spatial_token": True},
        {"texture": True},
        {"geometry": True},
        {"attributes": True},
        {"structure_tokens": True},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_one_part_is_enough_to_tell_two_patients_apart(
    make: Make, toy_study: StudyInputs, alone: dict[str, Any]
) -> None:
    gaps = preference(make(parts=replace(NONE, **alone)), two_patients(toy_study))
    assert min(gaps) > 1.0


def test_with_every_part_off_nobody_can_be_told_apart(make: Make, toy_study: StudyInputs) -> None:
    gaps = preference(make(parts=NONE), two_patients(toy_study))
    assert abs(sum(gaps)) < 1e-3  # what one text gains the other loses


def test_support_learns_which_sentence_is_true_of_whom(make: Make, toy_study: StudyInputs) -> None:
    model = make()
    claims = (Claim("lungs", ONE), Claim("lungs", OTHER))
    batch = [replace(one, claims=claims) for one in two_patients(toy_study)]
    true = torch.tensor([1.0, 0.0, 0.0, 1.0])
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(STEPS):
        contrasted = model(batch, writing=False).contrasted
        assert contrasted is not None
        loss = torch.nn.functional.binary_cross_entropy_with_logits(contrasted.support, true)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        scores = [model.support(one.study, "lungs", [claim.text for claim in claims]) for one in batch]
    assert scores[0][0] > 0.8 > 0.2 > scores[0][1]
    assert scores[1][1] > 0.8 > 0.2 > scores[1][0]
