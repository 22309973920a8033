"""The contrast of structures and texts against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from RegionReportLib.train.contrast import ContrastSettings, DiversityQueue, Texts, most_diverse, structure_contrast

PLAIN = ContrastSettings(temperature=1.0, softness=0.2, across=0.1)
EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def texts(vectors: list[list[float]], structures: list[int]) -> Texts:
    return Texts(torch.tensor(vectors), torch.tensor(structures))


def at(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def contrast(columns: Texts, settings: ContrastSettings = PLAIN) -> float:
    return float(structure_contrast(torch.tensor([EAST]), torch.tensor([0]), columns, settings))


def test_the_loss_of_one_image_and_two_texts_is_as_worked_out_by_hand() -> None:
    # p = softmax(1, 0): log p = (-0.313262, -1.313262). Texts likewise: softmax(1, 0) = (0.731059, 0.268941), so the
    # target is 0.2·that + 0.8·(1, 0) = (0.946212, 0.053788): 0.946212·0.313262 + 0.053788·1.313262.
    assert contrast(texts([EAST, NORTH], [3, 3])) == pytest.approx(0.296412 + 0.070638, abs=1e-5)


def test_a_text_of_another_structure_stays_a_negative_but_hardly_a_target() -> None:
    # As above, with a tenth of the second text's share of the target; the denominator is unchanged.
    assert contrast(texts([EAST, NORTH], [3, 4])) == pytest.approx(0.296412 + 0.0070638, abs=1e-5)


def test_without_softness_it_is_plain_contrast() -> None:
    hard = ContrastSettings(temperature=1.0, softness=0.0)
    assert contrast(texts([EAST, NORTH], [3, 3]), hard) == pytest.approx(0.313262, abs=1e-5)


def test_images_that_agree_with_their_texts_lose_less() -> None:
    columns = texts([EAST, NORTH], [0, 0])
    agree = structure_contrast(torch.tensor([EAST, NORTH]), torch.tensor([0, 1]), columns)
    crossed = structure_contrast(torch.tensor([NORTH, EAST]), torch.tensor([0, 1]), columns)
    assert float(agree) < float(crossed)


def test_texts_get_no_gradient_and_images_do() -> None:
    image = torch.tensor([at(30)], requires_grad=True)
    columns = texts([EAST, NORTH], [0, 0])
    structure_contrast(image, torch.tensor([0]), columns).backward()
    assert image.grad is not None and float(image.grad.abs().sum()) > 0


def test_the_queue_gives_only_slots_that_hold_a_text() -> None:
    queue = DiversityQueue(structures=2, size=3, width=2)
    assert len(queue.texts().vectors) == 0
    queue.push(texts([EAST], [1]))
    held = queue.texts()
    assert held.vectors.tolist() == [EAST] and held.structures.tolist() == [1]
    # An empty queue therefore changes nothing, where zeros or noise in its slots would.
    batch = texts([EAST, NORTH], [0, 0])
    own = contrast(batch)
    assert contrast(DiversityQueue(2, 3, 2).with_batch(batch)) == pytest.approx(own)
    assert contrast(queue.with_batch(batch)) > own


def test_the_queue_keeps_the_diverse_and_lets_boilerplate_go() -> None:
    queue = DiversityQueue(structures=1, size=3, width=2)
    queue.push(texts([at(-1), at(0), at(1)], [0, 0, 0]))
    queue.push(texts([at(180)], [0]))
    # The middle one of the three near-copies is most like the rest.
    assert angles(queue.texts().vectors) == pytest.approx([-1, 1, 180])
    queue.push(texts([at(90)], [0]))  # of the two near-copies the one nearer to the new text goes
    assert angles(queue.texts().vectors) == pytest.approx([-1, 180, 90])
    queue.push(texts([at(90)], [0]))  # one that is held already changes nothing
    assert angles(queue.texts().vectors) == pytest.approx([-1, 180, 90])


def test_one_of_two_copies_stays() -> None:
    # Both copies are equally like the rest; if each were judged at once, both would go.
    kept = most_diverse(torch.tensor([at(0), at(0), at(100)]), 2)
    assert angles(kept) == pytest.approx([0, 100])


def test_the_queue_is_part_of_what_is_saved() -> None:
    queue = DiversityQueue(1, 2, 2)
    queue.push(texts([EAST], [0]))
    again = DiversityQueue(1, 2, 2)
    again.load_state_dict(queue.state_dict())
    assert again.texts().vectors.tolist() == [EAST]


def angles(vectors: Tensor) -> list[float]:
    return [math.degrees(math.atan2(y, x)) for x, y in vectors.tolist()]
