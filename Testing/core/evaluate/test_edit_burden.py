"""Effort between texts, counted by hand."""

from __future__ import annotations

import pytest

from RegionReportLib.evaluate.edit_burden import burden, burden_of_template, constant_template, summary
from RegionReportLib.evaluate.regions import RegionText, half_of


def texts(*references: str) -> list[RegionText]:
    return [RegionText(f"valid_{n}_a_1", "lung", "lungs", r, "") for n, r in enumerate(references)]


def test_case_blanks_and_the_last_stop_do_not_count() -> None:
    found = burden("The  Lungs are clear", "the lungs are clear.")
    assert found.exact and found.word_edit_rate == 0 and found.similarity == 1


def test_words_are_counted_against_the_reference() -> None:
    # One word replaced and one inserted, of four reference words.
    assert burden("the lung is very clear", "the lungs is clear").word_edit_rate == pytest.approx(2 / 4)
    assert burden("a b c d e f", "a b").word_edit_rate == pytest.approx(2.0)


def test_similarity_is_one_minus_changed_over_longer_characters() -> None:
    assert burden("abcd", "abxdyz").similarity == pytest.approx(1 - 3 / 6)


def test_an_empty_reference_has_no_rate() -> None:
    assert burden("something", "").word_edit_rate is None
    assert burden("", "").exact


def test_means_leave_out_what_is_undefined() -> None:
    found = summary([burden("a", "a"), burden("b", "a"), burden("b", "")])
    assert found.count == 3 and found.word_edit_rate == pytest.approx(0.5)
    assert found.exact_percent == pytest.approx(100 / 3)
    assert summary([]).similarity is None


def test_the_template_is_the_most_frequent_reference_and_judged_on_the_other_half() -> None:
    assert constant_template(texts("Clear.", "Nodule.", "clear")) == "clear"
    with pytest.raises(ValueError, match="at least one"):
        constant_template([])
    same = texts(*["Clear."] * 20)
    assert {t.half for t in same} == {"A", "B"}
    assert burden_of_template(same).exact_percent == 100
    split_by_half = [
        RegionText(t.case, t.label, t.region_id, f"Only half {half_of(t.case)}.", "") for t in texts(*[""] * 20)
    ]
    assert burden_of_template(split_by_half).exact_percent == 0
