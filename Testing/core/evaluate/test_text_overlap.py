"""Word overlap, each metric worked out by hand on texts of a few words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.evaluate.text_overlap import cider, corpus_counts, ngram_counts, text_overlap

CLEAR = "the lungs are clear"


def test_bleu_smooths_every_order_and_takes_their_geometric_mean() -> None:
    # 3 of 4 words, 2 of 3 pairs, 1 of 2 triples, 0 of 1 quadruple; each with one added above and below.
    counts = ngram_counts(CLEAR, "the lungs are normal")
    assert (counts.matches, counts.totals) == ((3, 2, 1, 0), (4, 3, 2, 1))
    assert counts.bleu(1) == pytest.approx(4 / 5)
    assert counts.bleu(2) == pytest.approx(0.774597, abs=1e-6)
    assert counts.bleu(3) == pytest.approx(0.736806, abs=1e-6)
    assert counts.bleu(4) == pytest.approx(0.668740, abs=1e-6)


def test_bleu_punishes_short_texts_but_not_long_ones() -> None:
    assert ngram_counts(CLEAR, "the lungs").bleu(1) == pytest.approx(0.367879, abs=1e-6)  # exp(1 - 4 / 2)
    assert ngram_counts("the lungs", CLEAR).bleu(1) == pytest.approx(3 / 5)


def test_bleu_counts_a_word_at_most_as_often_as_the_reference_has_it() -> None:
    assert ngram_counts("the lungs are", "the the the").bleu(1) == pytest.approx(2 / 4)


def test_bleu_keeps_case_and_parts_stops_from_words() -> None:
    assert ngram_counts("Clear lungs.", "clear lungs").matches[0] == 1
    assert ngram_counts("Clear lungs.", "Clear lungs .").matches[0] == 3


def test_bleu_of_a_corpus_adds_the_counts_first() -> None:
    both = corpus_counts([ngram_counts(CLEAR, "the lungs are normal"), ngram_counts(CLEAR, "the lungs")])
    assert both.matches == (5, 3, 1, 0) and both.totals == (6, 4, 2, 1)
    assert both.bleu(1) == pytest.approx(0.614169, abs=1e-6)  # exp(1 - 8 / 6) * 6 / 7


def test_rouge_is_the_f_measure_of_words_pairs_and_the_longest_common_sequence() -> None:
    found = text_overlap("the lungs are clear today", "The clear lungs")
    assert found.rouge_1 == pytest.approx(0.75)  # precision 3/3, recall 3/5
    assert found.rouge_2 == 0.0
    assert found.rouge_l == pytest.approx(0.5)  # "the clear": precision 2/3, recall 2/5


def test_rouge_does_not_stem() -> None:
    assert text_overlap("nodule", "nodules").rouge_1 == 0.0


def test_meteor_matches_words_and_stems_and_punishes_pieces() -> None:
    # 3 of 4 words in one piece: 0.75 * (1 - 0.5 * (1/3) ** 3).
    assert text_overlap(CLEAR, "the lungs are normal").meteor == pytest.approx(0.736111, abs=1e-6)
    # The same words in four pieces: 1 - 0.5 * (4/4) ** 3.
    assert text_overlap(CLEAR, "clear are lungs the").meteor == pytest.approx(0.5)
    assert text_overlap("one nodule", "one nodules").meteor == pytest.approx(1 - 0.5 / 8)


def test_meteor_knows_no_synonyms() -> None:
    assert text_overlap("big", "large").meteor == 0.0


def test_cider_weighs_words_by_rarity_and_counts_orders_that_are_not_there_as_nothing() -> None:
    found = cider(["a b", "c d"], ["a b", "c x"])
    # First: cosine 1 for words and pairs, nothing for longer: 10 * 2/4. Second: cosine 1/2 for words: 10 * 0.5/4.
    assert found == pytest.approx((5.0, 1.25))
    # A longer text: (2/sqrt 6 + 1/sqrt 2) / 4 * 10, times exp(-1 / 72) for one pair more.
    longer = cider(["a b", "c d"], ["a b z", "c d"])
    assert longer is not None and longer[0] == pytest.approx(3.756471, abs=1e-5)


def test_a_word_that_every_reference_has_weighs_nothing_in_cider() -> None:
    assert cider(["same a", "same b"], ["same", "same"]) == (0.0, 0.0)


def test_cider_is_undefined_where_no_word_tells_reports_apart() -> None:
    assert cider(["clear lungs"], ["clear lungs"]) is None
    assert cider(["clear  lungs", "clear lungs"], ["clear lungs", "clear lungs"]) is None
    assert cider([], []) is None
    with pytest.raises(ValueError, match="got 1 and 0"):
        cider(["a"], [])


def test_an_empty_draft_scores_nothing_and_an_empty_reference_has_no_score() -> None:
    nothing = text_overlap(CLEAR, "")
    assert (nothing.counts.bleu(4), nothing.rouge_1, nothing.rouge_2, nothing.rouge_l, nothing.meteor) == (0,) * 5
    undefined = text_overlap("", CLEAR)
    assert (undefined.counts.bleu(1), undefined.rouge_1, undefined.rouge_l, undefined.meteor) == (None,) * 4
    assert text_overlap("clear", "clear").rouge_2 is None


@given(st.lists(st.sampled_from(["lungs", "clear", "no", "nodule", ".", ",", "5", "mm"]), min_size=2, max_size=12))
def test_a_text_overlaps_wholly_with_itself_and_no_score_leaves_its_range(words: list[str]) -> None:
    text = " ".join(words)
    same, other = text_overlap(text, text), text_overlap(text, "no effusion")
    assert same.counts.bleu(4) == pytest.approx(1.0)
    assert same.rouge_l in (None, pytest.approx(1.0))
    for score in (other.counts.bleu(4), other.rouge_1, other.rouge_2, other.rouge_l, other.meteor):
        assert score is None or (0.0 <= score <= 1.0 and math.isfinite(score))
