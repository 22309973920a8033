"""The loss of writing against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from RegionReportLib.train.writing_loss import IGNORED, runs_of, states_that_write, weights_of_runs, writing_loss


def test_each_position_is_judged_by_the_word_after_it_and_given_words_do_not_count() -> None:
    # Three words; position 0 gives them 1:1:2, position 1 gives 1:3:4, position 2 is the last and judged by nothing.
    chances = torch.tensor([[[1.0, 1, 2], [1, 3, 4], [1, 1, 98]]])
    logits = chances.log()
    total, weight = writing_loss(logits, torch.tensor([[IGNORED, 2, 1]]))
    assert float(weight) == 2
    assert float(total) == pytest.approx(-math.log(2 / 4) - math.log(3 / 8))
    total, weight = writing_loss(logits, torch.tensor([[0, IGNORED, 1]]))
    assert (float(weight), float(total)) == (1, pytest.approx(-math.log(3 / 8)))


def test_a_raised_word_weighs_more() -> None:
    logits = torch.zeros(1, 3, 4)
    total, weight = writing_loss(logits, torch.tensor([[IGNORED, 3, 1]]), torch.tensor([1.0, 1, 1, 5]))
    assert float(weight) == 6
    assert float(total) == pytest.approx(6 * math.log(4))


def test_a_place_weighs_what_it_is_given() -> None:
    chances = torch.tensor([[[1.0, 1, 2], [1, 3, 4], [1, 1, 98]]])
    total, weight = writing_loss(chances.log(), torch.tensor([[IGNORED, 2, 1]]), None, torch.tensor([[9.0, 1.0, 4.0]]))
    assert float(weight) == 5
    assert float(total) == pytest.approx(-math.log(2 / 4) - 4 * math.log(3 / 8))


def test_texts_are_found_by_their_labels() -> None:
    labels = torch.tensor([5, 6, IGNORED, IGNORED, 7, IGNORED, 8, 9])
    assert runs_of(labels) == [(0, 2), (4, 5), (6, 8)]
    assert runs_of(torch.full((3,), IGNORED)) == []


def test_the_first_places_of_each_text_weigh_more() -> None:
    labels = torch.tensor([IGNORED, 5, 6, 7, IGNORED, IGNORED, 5, 8, IGNORED, 5])
    assert weights_of_runs(labels, (2, 0, 1), 4.0).tolist() == [1, 4, 4, 1, 1, 1, 1, 1, 1, 4]
    with pytest.raises(ValueError, match="3 texts are written, but 2 counts"):
        weights_of_runs(labels, (1, 1), 4.0)


def test_the_state_that_writes_a_marker_stands_before_it() -> None:
    hidden = torch.arange(10.0).reshape(2, 5, 1)
    labels = torch.tensor([[IGNORED, 9, 4, 9, 4], [IGNORED, IGNORED, 4, 9, IGNORED]])
    assert states_that_write(hidden, labels, 9)[:, 0].tolist() == [0, 2, 7]
    assert states_that_write(hidden, labels, 8).shape == (0, 1)
