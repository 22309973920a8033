"""The head that reads boxes out of 3D features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from RegionReportLib.imaging.grid import Grid
from RegionReportLib.model.box_frame import BoxFrame
from RegionReportLib.model.box_head import BoxGuesses, BoxHead, BoxHeadConfig, read_boxes, sine_place

CONFIG = BoxHeadConfig(state_width=16, feature_width=8, width=24, heads=2, blocks=2, slots=3, hypotheses=3)


@pytest.fixture
def head() -> BoxHead:
    torch.manual_seed(0)
    return BoxHead(CONFIG).eval()


def test_each_state_gives_slots_of_hypotheses_within_the_unit_cube(head: BoxHead) -> None:
    states, features = torch.randn(5, 16), torch.randn(2, 8, 4, 6, 5)
    guesses = head(states, features, torch.tensor([0, 0, 1, 1, 1]))
    assert guesses.boxes.shape == (5, 3, 3, 6)
    assert guesses.existence.shape == (5, 3)
    assert guesses.choice.shape == (5, 3, 3)
    assert float(guesses.boxes.detach().min()) >= 0 and float(guesses.boxes.detach().max()) <= 1


def test_boxes_depend_on_the_state_on_the_features_and_on_whose_they_are(head: BoxHead) -> None:
    states, features = torch.randn(1, 16), torch.randn(2, 8, 4, 6, 5)
    first = head(states, features, torch.tensor([0])).boxes
    assert not torch.allclose(first, head(states + 1, features, torch.tensor([0])).boxes, atol=1e-4)
    assert not torch.allclose(first, head(states, features, torch.tensor([1])).boxes, atol=1e-4)
    # A state is alone with its study: what stands beside it in the batch changes nothing.
    both = head(torch.cat((states, states + 1)), features, torch.tensor([0, 1]))
    assert torch.allclose(both.boxes[:1], first, atol=1e-5)


def test_where_a_feature_lies_matters_and_not_only_what_it_is(head: BoxHead) -> None:
    states, features = torch.randn(1, 16), torch.zeros(1, 8, 4, 6, 5)
    features[..., 0, 0, 0] = 5
    moved = features.roll((2, 3), (2, 4))
    owner = torch.tensor([0])
    assert not torch.allclose(head(states, features, owner).boxes, head(states, moved, owner).boxes, atol=1e-4)


def test_places_mean_the_same_at_any_size() -> None:
    # The middle of three and the middle of nine are the same place.
    like = torch.zeros(1)
    assert torch.allclose(sine_place((3, 3, 3), 24, like)[1, 1, 1], sine_place((9, 9, 9), 24, like)[4, 4, 4], atol=1e-6)
    few = sine_place((2, 3, 4), 24, like)
    assert few.shape == (2, 3, 4, 24)
    assert len({tuple(row) for row in few.reshape(-1, 24).tolist()}) == 24


def test_reading_takes_the_chosen_hypothesis_of_slots_that_exist_surest_first() -> None:
    frame = BoxFrame(Grid((10, 10, 10), np.diag([1.0, 1, 1, 1])))
    boxes = torch.full((1, 3, 3, 6), 0.2)
    boxes[0, 1, 2, :3] = 0.5
    boxes[0, 2, 0, :3] = 0.8
    guesses = BoxGuesses(boxes, torch.tensor([[-1.0, 0.5, 3.0]]), torch.zeros(1, 3, 3))
    guesses = replace(guesses, choice=torch.tensor([[[0.0, 0, 0], [0, 0, 9], [9, 0, 0]]]))
    ((first, second),) = read_boxes(guesses, frame)
    assert first.box.center_mm == pytest.approx((7.5, 7.5, 7.5))
    assert second.box.center_mm == pytest.approx((4.5, 4.5, 4.5))
    assert first.existence == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert second.existence == pytest.approx(1 / (1 + np.exp(-0.5)))
    # One of three centres lies 3 mm off on each axis: a standard deviation of √2 mm on all six faces.
    assert second.dispersion_mm == pytest.approx(np.sqrt(2))
    assert read_boxes(guesses, frame, threshold=0.99) == ((),)


def test_a_width_that_does_not_hold_three_axes_is_refused() -> None:
    with pytest.raises(ValueError, match="width must divide by 6"):
        replace(CONFIG, width=32)
