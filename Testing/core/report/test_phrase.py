"""The key phrase follows its words through changes of the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.report.phrase import follow_phrase


@pytest.mark.parametrize(
    ("old", "phrase", "new", "expected"),
    [
        # Changes in front of, behind and around it.
        ("Small nodule in the left lung.", "nodule", "Large solid nodule in the left lung.", "nodule"),
        ("Small nodule in the left lung.", "nodule", "Small nodule.", "nodule"),
        ("Small nodule in the left lung.", "nodule", "In the lung a tiny round nodule there.", "nodule"),
        # Inside it: corrected words stay, typed ones join.
        ("A right pleural effusion.", "right pleural effusion", "A left pleural effusion.", "left pleural effusion"),
        ("A nodule of 5 mm is seen.", "nodule of 5 mm", "A nodule of 12.5 mm is seen.", "nodule of 12.5 mm"),
        ("A pleural effusion.", "pleural effusion", "A pleural small effusion.", "pleural small effusion"),
        # Partly gone: the best surviving part.
        ("Large right pleural effusion.", "right pleural effusion", "Large effusion.", "effusion"),
        # Moved, and in another case.
        ("Seen is an effusion on the right.", "effusion", "Effusion, on the right.", "Effusion"),
        # A word grows: it is not cut.
        ("Single nodule", "nodule", "Single nodules", "nodules"),
        ("Consolidation left.", "Consolidation", "consolidation left", "consolidation"),
        # Gone.
        ("Small nodule in the lung.", "nodule", "Small mass in the lung.", None),
        ("Small nodule in the lung.", "in the lung", "Small nodule in the liver.", None),
        ("Small nodule.", "nodule", "Entirely different.", None),
    ],
)  # fmt: skip
def test_the_phrase_follows_its_words(old: str, phrase: str, new: str, expected: str | None) -> None:
    start = old.index(phrase)
    span = follow_phrase(old, new, (start, start + len(phrase)))
    assert (None if span is None else new[slice(*span)]) == expected


def test_no_phrase_stays_no_phrase() -> None:
    assert follow_phrase("a nodule", "a mass", None) is None


def test_of_the_same_word_twice_the_one_in_its_old_surroundings_is_meant() -> None:
    old, new = "Cyst left, cyst right.", "Cyst left, thin cyst right."
    assert follow_phrase(old, new, (11, 15)) == (16, 20)


def test_a_pasted_book_takes_no_time_and_loses_only_what_cannot_be_told() -> None:
    book = "and lung and nodule " * 50_000
    assert follow_phrase("A nodule and a cyst", book, (2, 8)) is None
    assert follow_phrase("A nodule and a cyst", "A nodule " + book, (2, 8)) == (2, 8)


words = st.lists(st.sampled_from(["no", "nodule", "5", "mm", "left", "lung", "größer", "–", ",", "."]), min_size=1)


@given(words, words, st.data())
def test_the_span_always_lies_in_the_new_text(old: list[str], new: list[str], data: st.DataObject) -> None:
    before, after = " ".join(old), " ".join(new)
    start = data.draw(st.integers(0, len(before) - 1))
    stop = data.draw(st.integers(start + 1, len(before)))
    span = follow_phrase(before, after, (start, stop))
    assert span is None or 0 <= span[0] < span[1] <= len(after)
