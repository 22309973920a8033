"""The table of words: what it names exists, and what it compares can be found in a text."""

from __future__ import annotations

import pytest

from RegionReportLib.anatomy import regions as anatomy
from RegionReportLib.grounding import lexicon
from RegionReportLib.report.measurement import QUANTITIES


@pytest.mark.parametrize(
    ("british", "american"),
    [("oesophageal", "esophageal"), ("haematoma", "hematoma"), ("tumour", "tumor"), ("vertebrae", "vertebre")],
)
def test_spelling_and_number_do_not_matter(british: str, american: str) -> None:
    assert lexicon.normal_form(british) == lexicon.normal_form(american)
    assert lexicon.normal_form("Lobes") == lexicon.normal_form("lobe")
    assert lexicon.normal_form("bronchi") == lexicon.normal_form("bronchus")
    assert lexicon.normal_form("pelvis") == "pelvis" and lexicon.normal_form("mass") == "mass"


def test_the_lexicon_names_only_known_regions_structures_and_quantities() -> None:
    table = lexicon.lexicon()
    for place in table["places"]:
        anatomy.region(place["region"])
        if place["structure"] and place["structure"] != "rib_{side}":
            for side in ("right", "left"):
                assert anatomy.structure(place["structure"].format(side=side)).region_id == place["region"]
    for finding in table["findings"].values():
        assert set(finding["denies"]) <= set(QUANTITIES)


def test_no_term_is_a_sentence() -> None:
    words = [w for place in lexicon.lexicon()["places"] for w in place["words"]]
    words += [w for finding in lexicon.lexicon()["findings"].values() for w in finding["words"]]
    assert max(len(w.split()) for w in words) <= 6


def test_words_for_comparing_sentences_stand_as_they_are_found() -> None:
    pairs = lexicon.lexicon()["pairs"]
    named = [at for names in pairs["named"].values() for at in names.values()]
    words = {w for which in ("empty", "qualified", "besides", "subject to clear") for w in pairs[which]} | set(
        pairs["clear"]
    )
    words |= {w for at in named for w in (*at["words"], *at.get("unless", ()))}
    assert {w for w in words if [t.form for t in lexicon.tokens_of(w)] != [w]} == set()


def test_findings_that_are_compared_are_known() -> None:
    table = lexicon.lexicon()
    pairs, findings = table["pairs"], set(table["findings"])
    named = {name for names in pairs["named"].values() for name in names}
    compared = {*pairs["regional"], *pairs["by organ"]}
    assert set(pairs["named"]) <= findings and compared <= findings | named
    assert named | {name for denied in pairs["clear"].values() for name in denied} <= compared
    for names in pairs["named"].values():
        for at in names.values():
            anatomy.region(at["region"])
