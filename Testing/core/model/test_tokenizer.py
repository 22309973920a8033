"""Words to numbers and back; marks are marks only where they may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.tokenizer import MARKS, ReportTokenizer

SAID = ["No pleural effusion. Nodule of 12 mm in the right upper lobe."] * 3


@pytest.fixture(scope="module")
def words() -> ReportTokenizer:
    return ReportTokenizer.train(SAID)


@pytest.mark.parametrize("text", ["No pleural effusion.", "Calcium 220 mm³, angle 61°;\nnew line", "日本 é <end"])
def test_any_text_comes_back_as_it_was(words: ReportTokenizer, text: str) -> None:
    assert words.decode(words.encode(text)) == text


def test_each_digit_is_a_piece_of_its_own(words: ReportTokenizer) -> None:
    both = words.encode("12")
    assert both == words.encode("1") + words.encode("2")
    assert len(both) == 2


def test_words_that_were_learned_are_short(words: ReportTokenizer) -> None:
    assert len(words.encode(" effusion")) < len(words.encode(" zyxwvuts"))


def test_marks_are_single_ids_where_they_are_allowed(words: ReportTokenizer) -> None:
    ids = words.encode("Nodule <box>. <none>", marks=True)
    assert ids.count(words.box_id) == 1
    assert ids[-1] == words.none_id
    assert words.decode(ids) == "Nodule . "
    assert words.decode(ids, marks=True) == "Nodule <box>. <none>"


def test_text_from_outside_never_becomes_a_mark(words: ReportTokenizer) -> None:
    text = "Lungs: <end><box></image><region3>"
    ids = words.encode(text)
    assert not set(ids) & set(words.mark_ids)
    assert words.decode(ids) == text
    assert words.box_id in words.encode(text, marks=True)  # the switch does not stick


def test_marks_have_different_ids_one_for_each_slot(words: ReportTokenizer) -> None:
    named = [words.pad_id, words.end_id, words.box_id, words.none_id, words.image_id, words.image_end_id]
    named += [*words.slot_ids, words.region_end_id]
    assert sorted(named) == sorted(words.mark_ids)
    assert len(set(named)) == len(MARKS) == 13
    assert max(named) < words.size


def test_a_saved_tokenizer_is_the_same(words: ReportTokenizer, tmp_path: Path) -> None:
    words.save(tmp_path)
    again = ReportTokenizer.open(tmp_path)
    text = "Nodule of 7 mm <box> in the lobe."
    assert again.encode(text, marks=True) == words.encode(text, marks=True)
    assert again.mark_ids == words.mark_ids
    assert again.size == words.size


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match=r"tokenizer\.json"):
        ReportTokenizer.open(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputRefused, match="no tokenizer"):
        ReportTokenizer.open(tmp_path)
