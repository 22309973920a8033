"""The stream of words is cut into sentences and stopped where it should."""

from __future__ import annotations

import pytest

from RegionReportLib.model.generate_sentences import Ending, Limits, Line, Lines, Marks

WORDS = ["", "Heart", " of", " normal", " size.", "\n", "<end>", "<box>", "<none>", " ", "No fluid.", ".\n", "heart"]
END, BOX, NOTHING = 6, 7, 8


def decode(ids: list[int]) -> str:
    return "".join(WORDS[n] for n in ids if n not in (END, BOX, NOTHING))


def lines(limits: Limits | None = None) -> Lines:
    return Lines(decode, Marks((END,), BOX, NOTHING), limits or Limits())


def take(stream: Lines, ids: list[int]) -> list[Line]:
    return [line for n, token in enumerate(ids) if (line := stream.take(token, -float(n)))]


def test_a_line_is_a_sentence_with_the_mean_chance_of_its_words() -> None:
    stream = lines()
    assert take(stream, [1, 2, 3, 4, 5]) == [Line("Heart of normal size.", -2.0, (1, 2, 3, 4, 5), ())]
    assert stream.ending is None


def test_the_end_of_the_text_ends_its_last_sentence() -> None:
    stream = lines()
    assert [line.text for line in take(stream, [1, 4, 5, 10, END])] == ["Heart size.", "No fluid."]
    assert stream.ending is Ending.FINISHED


def test_a_word_that_holds_the_line_end_ends_the_sentence() -> None:
    assert [line.text for line in take(lines(), [1, 2, 11])] == ["Heart of."]


def test_marks_of_boxes_belong_to_their_sentence_and_are_not_read() -> None:
    first, second = take(lines(), [1, 4, BOX, BOX, 5, 10, BOX, 5])
    assert (first.text, first.box_steps) == ("Heart size.", (2, 3))
    assert (second.text, second.box_steps) == ("No fluid.", (6,))


@pytest.mark.parametrize("first", [NOTHING, END])
def test_a_region_may_have_nothing_to_report(first: int) -> None:
    stream = lines()
    assert take(stream, [first]) == []
    assert stream.ending is Ending.NOTHING


def test_nothing_to_report_after_a_sentence_only_ends_the_text() -> None:
    stream = lines()
    assert len(take(stream, [10, 5, NOTHING])) == 1
    assert stream.ending is Ending.FINISHED


def test_a_sentence_that_comes_twice_ends_the_text_and_is_said_once() -> None:
    stream = lines()
    assert len(take(stream, [1, 4, 5, 10, 5, 12, 4, 5])) == 2
    assert stream.ending is Ending.REPEATED


def test_half_a_sentence_at_the_limit_is_not_said() -> None:
    stream = lines(Limits(region=7))
    assert [line.text for line in take(stream, [1, 4, 5, 1, 2, 3, 3])] == ["Heart size."]
    assert stream.ending is Ending.TOO_LONG
    lost = lines(Limits(sentence=4))
    assert take(lost, [2, 2, 2, 2]) == []
    assert lost.ending is Ending.TOO_LONG


def test_a_line_without_words_is_no_sentence() -> None:
    stream = lines()
    assert take(stream, [5, 9, 5, 11]) == []
    assert stream.ending is None


def test_nothing_is_taken_after_the_end() -> None:
    stream = lines()
    stream.take(END, 0.0)
    with pytest.raises(ValueError, match="the text has ended"):
        stream.take(1, 0.0)
