"""Losses of boxes against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from RegionReportLib.model.box_head import BoxGuesses, BoxHead, BoxHeadConfig
from RegionReportLib.train.box_losses import box_losses, distance, generalised_iou, match, winner_takes_all

LEFT = torch.tensor([0.25, 0.25, 0.25, 0.5, 0.5, 0.5])
SHIFTED = torch.tensor([0.50, 0.25, 0.25, 0.5, 0.5, 0.5])
FAR = torch.tensor([0.90, 0.90, 0.90, 0.1, 0.1, 0.1])


def guesses(boxes: Tensor, existence: Tensor | None = None) -> BoxGuesses:
    n, slots, hypotheses, _ = boxes.shape
    zeros = torch.zeros(n, slots)
    return BoxGuesses(boxes, zeros if existence is None else existence, torch.zeros(n, slots, hypotheses))


def test_generalised_iou_of_half_shifted_cubes_is_a_third() -> None:
    # Shared 0.25·0.5·0.5 = 0.0625, union 0.25 - 0.0625 = 0.1875, and the hull 0.75·0.5·0.5 is the union itself.
    assert float(generalised_iou(LEFT, SHIFTED)) == pytest.approx(1 / 3)
    assert float(generalised_iou(LEFT, LEFT)) == pytest.approx(1.0)
    # Apart: nothing shared, union 0.125 + 0.001, hull from 0 to 0.95 on each axis.
    assert float(generalised_iou(LEFT, FAR)) == pytest.approx(-(0.95**3 - 0.126) / 0.95**3, abs=1e-5)


def test_the_distance_adds_coordinates_and_overlap() -> None:
    assert float(distance(LEFT, SHIFTED)) == pytest.approx(0.25 + 1 - 1 / 3)


def test_the_best_hypothesis_bears_almost_all_of_the_loss_wherever_it_stands() -> None:
    for order in ([1.0, 3.0, 2.0], [3.0, 2.0, 1.0]):
        each = torch.tensor(order, requires_grad=True)
        loss = winner_takes_all(each, relaxation=0.1)
        # 0.9·1 for the winner and 0.05·(3 + 2) for the others.
        assert float(loss.detach()) == pytest.approx(1.15)
        loss.backward()
        expected = [0.9 if x == 1.0 else 0.05 for x in order]
        assert each.grad is not None and each.grad.tolist() == pytest.approx(expected)


def test_slots_go_to_the_lesions_that_they_are_nearest_to_together() -> None:
    # Slot 0 is near SHIFTED and slot 2 is on LEFT; taking lesions in their order would give LEFT to slot 0.
    boxes = torch.stack((SHIFTED, FAR, LEFT))[None, :, None].repeat(1, 1, 3, 1)
    assert match(guesses(boxes), 0, torch.stack((LEFT, SHIFTED))) == [(0, 1), (2, 0)]
    assert match(guesses(boxes), 0, torch.zeros(0, 6)) == []


def test_matched_slots_exist_and_the_others_do_not() -> None:
    boxes = torch.stack((LEFT, FAR))[None, :, None].repeat(1, 1, 3, 1)
    existence = torch.tensor([[2.0, -1.0]])
    losses = box_losses(guesses(boxes, existence), [LEFT[None]])
    assert float(losses.boxes) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.existence) == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2)
    assert float(losses.choice) == pytest.approx(math.log(3))


def test_a_sentence_without_a_lesion_teaches_all_slots_to_stay_empty() -> None:
    boxes = LEFT.expand(1, 2, 3, 6)
    losses = box_losses(guesses(boxes), [torch.zeros(0, 6)])
    assert float(losses.existence) == pytest.approx(math.log(2))
    assert float(losses.boxes) == 0.0 and float(losses.choice) == 0.0


def test_more_lesions_than_slots_use_every_slot_once() -> None:
    boxes = torch.stack((LEFT, FAR))[None, :, None].repeat(1, 1, 3, 1)
    pairs = match(guesses(boxes), 0, torch.stack((FAR, LEFT, SHIFTED)))
    assert pairs == [(0, 1), (1, 0)]


def test_the_head_learns_two_lesions_from_features_that_show_them() -> None:
    torch.manual_seed(1)
    head = BoxHead(BoxHeadConfig(state_width=4, feature_width=2, width=24, heads=2, blocks=1, slots=3))
    features = torch.zeros(1, 2, 4, 4, 4)
    features[0, 0, 0, 0, 0] = features[0, 1, 3, 3, 3] = 4.0
    # The state asks for channel 0, for channel 1, for both or for none of them.
    states = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    one, two = torch.tensor([0.125] * 3 + [0.25] * 3), torch.tensor([0.875] * 3 + [0.25] * 3)
    lesions = [one[None], two[None], torch.stack((one, two)), torch.zeros(0, 6)]
    owner = torch.zeros(4, dtype=torch.long)
    optimiser = torch.optim.Adam(head.parameters(), 3e-3)
    for _ in range(250):
        optimiser.zero_grad()
        box_losses(head(states, features, owner), lesions).total.backward()
        optimiser.step()
    found = head(states, features, owner)
    assert (found.existence.sigmoid() > 0.5).sum(dim=1).tolist() == [1, 1, 2, 0]
    for n, true in enumerate(lesions):
        for slot, lesion in match(found, n, true):
            best = found.boxes[n, slot, found.choice[n, slot].argmax()]
            assert float(generalised_iou(best, true[lesion]).detach()) > 0.5
