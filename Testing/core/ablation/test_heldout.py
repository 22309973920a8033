"""Held-out means held out: seeds that taught or chose the network are refused, as far as its card tells them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.ablation.heldout import held_out
from RegionReportLib.errors import InputRefused


def card(folder: Path, **content: Any) -> Path:
    (folder / "card.json").write_text(json.dumps(content))
    return folder


def test_the_patients_are_made_as_those_of_the_training(tmp_path: Path) -> None:
    spans = {"train": [100, 50], "validation": [500, 5], "shape_kji": [24, 48, 48], "evenness": 0.25}
    data = held_out(card(tmp_path, data=spans), 150, 350)
    assert (data.shape_kji, data.evenness) == ((24, 48, 48), 0.25)


@pytest.mark.parametrize(
    ("first", "count", "refused"),
    [
        (149, 1, "100 to 149 are the seeds of train"),
        (90, 11, "100 to 149 are the seeds of train"),
        (400, 101, "500 to 504 are the seeds of validation"),
        (90, 10, ""),
        (505, 1000, ""),
    ],
)
def test_one_seed_in_common_is_refused(tmp_path: Path, first: int, count: int, refused: str) -> None:
    model = card(tmp_path, data={"train": [100, 50], "validation": [500, 5]})
    if refused:
        with pytest.raises(InputRefused, match=refused):
            held_out(model, first, count)
    else:
        held_out(model, first, count)


def test_a_card_that_names_its_source_alone_tells_the_first_seed(tmp_path: Path) -> None:
    model = card(tmp_path, trained_on="phantoms-3000000-d4758095f071")
    with pytest.raises(InputRefused, match="are not held out: 3000000 to"):
        held_out(model, 3_000_100, 300)
    held_out(model, 3_100_000, 300)


def test_of_a_silent_card_the_usual_seeds_are_believed(tmp_path: Path) -> None:
    assert held_out(tmp_path, 3_000_000, 300).shape_kji == (96, 128, 128)
    for first in (1_000_000, 2_000_000):
        with pytest.raises(InputRefused, match="not held out"):
            held_out(tmp_path, first, 1)


def test_nobody_and_damaged_cards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="at least one patient"):
        held_out(tmp_path, 3_000_000, 0)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(InputRefused, match="is not JSON"):
        held_out(tmp_path, 3_000_000, 1)
