"""Random studies: as often as in practice or evenly, the same for the same seed, small enough to train on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Coverage
from RegionReportLib.phantom.errors import ErrorKind, planted_errors
from RegionReportLib.phantom.kinds import CT_RATE, SIZES, VARIETIES, FindingKind
from RegionReportLib.phantom.phrases import phrase_table
from RegionReportLib.phantom.recipe import Detail, Recipe, Scan
from RegionReportLib.phantom.study import FREQUENCIES, coarse_scan, random_recipe, training_case

K = FindingKind


def drawn(count: int, evenness: float = 0.0) -> list[Recipe]:
    rng = np.random.default_rng(5)
    return [random_recipe(rng, Scan.coarse(), evenness=evenness) for _ in range(count)]


def test_studies_have_up_to_six_kinds_of_findings() -> None:
    counts = Counter(len({f.kind for f in recipe.findings}) for recipe in drawn(400))
    assert set(counts) == set(range(7))


def test_findings_come_as_often_as_in_practice_or_evenly() -> None:
    assert set(FREQUENCIES) == set(FindingKind)
    usual, even = ({k: 0 for k in FindingKind}, {k: 0 for k in FindingKind})
    for counts, evenness in ((usual, 0.0), (even, 1.0)):
        for recipe in drawn(1000, evenness):
            for kind in {f.kind for f in recipe.findings}:
                counts[kind] += 1
    # Nodules in 43 of 100 reports, less those that the limit of six takes away.
    assert 370 < usual[K.NODULE] < 450 and usual[K.PNEUMOTHORAX] < 45
    assert max(even.values()) < 2 * min(even.values())
    with pytest.raises(ValueError, match=r"0\.\.1"):
        random_recipe(np.random.default_rng(0), evenness=2.0)


def test_technique_varies_and_a_scan_is_drawn_where_none_is_given() -> None:
    rng = np.random.default_rng(6)
    recipes = [random_recipe(rng) for _ in range(40)]
    assert len({r.scan.step_mm for r in recipes}) > 3 and len({r.contrast for r in recipes}) == 3
    assert {r.detail for r in recipes} == {Detail.FULL}


def test_a_training_case_is_the_same_for_the_same_seed_and_has_the_shape_asked_for() -> None:
    case, again = (training_case(7, (32, 48, 48)) for _ in range(2))
    assert case.volume.hu.shape == case.masks.labels.shape == (32, 48, 48)
    assert case.volume.digest() == again.volume.digest() and case.sentences == again.sentences
    other = training_case(8, (32, 48, 48))
    assert other.volume.digest() != case.volume.digest()
    with pytest.raises(ValueError, match="square"):
        training_case(7, (32, 48, 50))


def test_another_shape_shows_the_same_patient() -> None:
    small, large = (training_case(9, shape) for shape in ((32, 48, 48), (48, 80, 80)))
    assert small.habitus == large.habitus and small.planted == large.planted
    by_number = {x.planted.number: x for x in large.lesions}
    assert len(small.lesions) >= 2
    for lesion in small.lesions:
        other = by_number[lesion.planted.number]
        assert other.planted == lesion.planted
        assert np.abs(np.array(other.point_mm) - lesion.point_mm).max() < 25


def test_rewording_keeps_the_patient() -> None:
    case = training_case(7, (24, 32, 32))
    other = case.reworded(np.random.default_rng(1))
    assert other.volume is case.volume and other.lesions is case.lesions
    assert other.sentences != case.sentences


def test_most_coarse_scans_hold_the_lungs_and_some_are_cut() -> None:
    rng = np.random.default_rng(2)
    scans = [coarse_scan(rng) for _ in range(300)]
    cut = sum(scan.above_mm < 0 or scan.below_mm < 0 for scan in scans)
    assert 10 < cut < 60
    whole = next(n for n in range(20) if training_case(n, (24, 32, 32)).masks.coverage["lungs"] is Coverage.COMPLETE)
    assert whole < 5


def test_planted_errors_are_false_and_say_what_is_wrong() -> None:
    case = training_case(3, (32, 48, 48), evenness=0.3)
    wrong = planted_errors(case, np.random.default_rng(0))
    assert {w.error for w in wrong} >= {ErrorKind.DENIED, ErrorKind.ADDED}
    true = {s.text for s in case.sentences}
    for w in wrong:
        (claim,) = w.sentence.claims
        assert w.sentence.text not in true
        there = [x.planted for x in case.lesions if x.planted.kind is claim.kind]
        if w.error is ErrorKind.ADDED:
            assert claim.kind not in case.planted and w.original is None
        if w.error is ErrorKind.DENIED:
            assert there and claim.lesions
            # Not "no lytic lesion" where there is a sclerotic one: the finding is denied as a whole.
            assert any(noun in w.sentence.text.lower() for noun in phrase_table().findings[claim.kind].nouns)
        if w.error is ErrorKind.SIDE:
            assert claim.sides[0] not in {p.side for p in there}
        if w.error is ErrorKind.SIZE:
            assert claim.size_mm and all(abs(claim.size_mm / p.size - 1) > 0.3 for p in there)
    assert wrong == planted_errors(case, np.random.default_rng(0))


def test_the_manual_lists_every_finding_with_its_range_and_label() -> None:
    text = (Path(__file__).parents[3] / "docs" / "phantom.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(rows) == {kind.value for kind in FindingKind}
    labels = {kind: label for label, kind in CT_RATE.items()}
    for kind in FindingKind:
        unit, low, high = SIZES[kind]
        shown = {"mm3": " mm³", "ratio": "", "%": " %"}.get(unit, f" {unit}")
        assert f"{low:g} to {high:g}{shown} |" in rows[kind.value], kind
        assert labels.get(kind, "–") in rows[kind.value]
        assert all(f"`{variety}`" in rows[kind.value] for variety in VARIETIES.get(kind, ()))
