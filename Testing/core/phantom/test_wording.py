"""Sentences: every one holds for its patient, knows its place, and varies; paragraphs keep to their region."""

from __future__ import annotations

import json

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.grammar import expand, expansions, listed, tidy
from RegionReportLib.phantom.phrases import phrase_table
from RegionReportLib.phantom.recipe import Detail, Finding, FindingKind, Recipe, Scan
from RegionReportLib.phantom.reports import radgenome_texts
from RegionReportLib.progress import finish
from RegionReportLib.report.sentence import Polarity

K = FindingKind
FINDINGS = (
    Finding(K.NODULE, 14, Side.LEFT),
    Finding(K.NODULE, 5, Side.RIGHT),
    Finding(K.EFFUSION, 500, Side.RIGHT),
    Finding(K.EFFUSION, 90, Side.LEFT),
    Finding(K.SEPTAL, 1.6),
    Finding(K.HIATAL_HERNIA, 40),
)


@pytest.fixture(scope="module")
def case() -> PhantomCase:
    return finish(make_case(Recipe(61, FINDINGS, Scan(rows=48, step_mm=7.0), detail=Detail.COARSE)))


@pytest.fixture(scope="module")
def retold(case: PhantomCase) -> list[PhantomCase]:
    rng = np.random.default_rng(0)
    return [case.reworded(rng) for _ in range(80)]


def test_alternatives_are_all_written_out_and_one_is_drawn() -> None:
    template = "[a|b [c|d]|] e"
    assert set(expansions(template)) == {"a e", "b c e", "b d e", " e"}
    drawn = {expand(template, np.random.default_rng(seed)) for seed in range(40)}
    assert drawn == set(expansions(template))


def test_sentences_are_tidied_and_lists_joined() -> None:
    assert tidy("small  nodule , right") == "Small nodule, right."
    assert tidy("a enlarged node and a 8 mm one, a 18 mm one, a 12 mm one").startswith("An enlarged node and an 8 mm")
    assert tidy("a 18 mm one, a 12 mm one") == "An 18 mm one, a 12 mm one."
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b or c"


def test_every_finding_has_several_ways_to_be_said_and_denied() -> None:
    table = phrase_table().findings
    assert set(table) == set(FindingKind)
    for kind, phrases in table.items():
        said = {text for form in phrases.present for text in expansions(form)}
        said |= {text for forms in phrases.special.values() for form in forms for text in expansions(form)}
        assert len(said) >= 8, kind
        assert len({text for form in phrases.absent for text in expansions(form)}) >= 3, kind


def test_all_lesions_are_told_and_nothing_that_is_there_is_denied(retold: list[PhantomCase]) -> None:
    for told in retold:
        assert {n for s in told.sentences for n in s.lesions} == {x.planted.number for x in told.lesions}
        for sentence in told.sentences:
            for claim in sentence.claims:
                assert (claim.polarity is Polarity.ABSENT) == (claim.kind not in told.planted), sentence.text
                assert bool(claim.lesions) == (claim.polarity is not Polarity.ABSENT)


def test_what_is_said_of_a_lesion_is_true_of_it(retold: list[PhantomCase]) -> None:
    for told in retold:
        by_number = {x.planted.number: x for x in told.lesions}
        for claim in (c for s in told.sentences for c in s.claims if c.lesions):
            first = by_number[claim.lesions[0]]
            p = first.planted
            assert not claim.sides or set(claim.sides) == (
                {p.side} if p.side and claim.kind is not K.EFFUSION else set(claim.sides)
            )
            assert claim.size_mm is None or claim.size_mm == pytest.approx(p.size, abs=0.51)
            assert claim.volume_ml is None or claim.volume_ml == pytest.approx(first.volume_ml, rel=0.06, abs=1)
            assert not claim.lobe or claim.lobe == p.lobe


def test_texts_vary_and_are_clean(retold: list[PhantomCase]) -> None:
    assert len({told.texts["lungs"].text for told in retold}) == len(retold)
    for text in (s.text for told in retold for s in told.sentences):
        assert not set("{}[]|") & set(text) and "  " not in text and " ," not in text
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".") and not text.endswith("..")


def test_both_effusions_and_both_nodules_are_sometimes_told_in_one_sentence(retold: list[PhantomCase]) -> None:
    together = {s.kind for told in retold for s in told.sentences if len(s.lesions) == 2}
    assert together == {K.EFFUSION, K.NODULE}


def test_paragraphs_hold_the_sentences_of_their_region_in_order(case: PhantomCase) -> None:
    assert tuple(case.texts) == REGION_IDS
    assert [s for text in case.texts.values() for s in text.sentences] == list(case.sentences)
    for region_id, text in case.texts.items():
        assert {s.region_id for s in text.sentences} == {region_id}
        assert text.text == " ".join(s.text for s in text.sentences)


def test_the_ten_regions_of_radgenome_take_their_sentences(retold: list[PhantomCase]) -> None:
    parts = {name for told in retold for name in radgenome_texts(told.sentences)}
    assert parts == {"abdomen", "bone", "breast", "esophagus", "heart", "lung", "mediastinum", "pleura"} | {
        "thyroid",
        "trachea and bronchie",
    }
    pleura = radgenome_texts(retold[0].sentences)["pleura"]
    assert K.EFFUSION in {s.kind for s in pleura.sentences}


def test_boxes_of_a_sentence_are_those_of_its_lesions(case: PhantomCase) -> None:
    for sentence in case.sentences:
        boxes = case.boxes(sentence)
        if not sentence.lesions:
            assert boxes == ()
        for lesion in (x for x in case.lesions if x.planted.number in sentence.lesions):
            assert set(lesion.boxes) <= set(boxes)
            hull = lesion.boxes[0]
            for box in lesion.boxes[1:]:
                hull = hull.union(box)
            assert hull == lesion.box
    septal = next(x for x in case.lesions if x.planted.kind is K.SEPTAL)
    assert len(septal.boxes) == 2


def test_hedges_are_rare_for_what_is_plain_and_frequent_for_what_is_subtle(retold: list[PhantomCase]) -> None:
    def hedged(number: int) -> int:
        claims = [c for told in retold for s in told.sentences for c in s.claims if c.lesions == (number,)]
        return sum(c.polarity is Polarity.UNCERTAIN for c in claims)

    sizes = {x.planted.size: x.planted.number for x in retold[0].lesions if x.planted.kind is K.NODULE}
    assert hedged(sizes[5]) > 5 > hedged(sizes[14])


def test_a_region_that_is_cut_denies_nothing_and_says_so() -> None:
    scan = Scan(rows=48, step_mm=7.0, above_mm=-60.0)
    case = finish(make_case(Recipe(61, FINDINGS, scan, detail=Detail.COARSE)))
    assert case.masks.coverage["lungs"] is Coverage.PARTIAL
    lungs = case.texts["lungs"].sentences
    assert not [s for s in lungs if s.polarity is Polarity.ABSENT and s.claims]
    assert "partly included" in lungs[-1].text and lungs[-1].claims == ()


def test_lengths_are_those_of_reports(retold: list[PhantomCase]) -> None:
    """RadGenome-Chest CT: lung and pleura 51 + 18 words on average, mediastinum with oesophagus 36 + 14."""
    words = {r: np.mean([len(told.texts[r].text.split()) for told in retold]) for r in REGION_IDS}
    assert 40 < words["lungs"] < 100
    assert 15 < words["mediastinum"] < 55
    assert 6 < words["airways"] < 25


def test_sentences_are_plain_json(case: PhantomCase) -> None:
    again = json.loads(json.dumps([s.to_dict() for s in case.sentences], allow_nan=False))
    nodule = next(c for s in again for c in s["claims"] if c["kind"] == "nodule" and c["lesions"])
    assert nodule["polarity"] in ("present", "uncertain") and nodule["sides"]
