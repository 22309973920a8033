"""Clinical efficacy counted by hand, and the two answers that a score of findings must not reward."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.evaluate.findings import LABELS, Confusion, crg, efficacy

THREE = ("a", "b", "c")
TRUTH = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]]
SAID = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_each_label_is_counted_on_its_own() -> None:
    a, b, _ = efficacy(TRUTH, SAID, THREE).by_label
    assert (a, a.support) == (Confusion(1, 1, 2), 3)
    assert (a.precision, a.recall, a.f1) == (pytest.approx(1 / 2), pytest.approx(1 / 3), pytest.approx(2 / 5))
    assert (b.precision, b.recall, b.f1) == (1.0, 0.5, pytest.approx(2 / 3))


def test_averages_are_of_all_decisions_of_labels_and_by_support() -> None:
    found = efficacy(TRUTH, SAID, THREE)
    assert (found.micro.precision, found.micro.recall, found.micro.f1) == (pytest.approx(2 / 3), 0.4, 0.5)
    macro, weighted = found.macro, found.weighted
    assert (macro.precision, macro.recall, macro.f1) == pytest.approx((0.75, 5 / 12, 8 / 15))
    # Three times a, twice b: (3 * 1/2 + 2) / 5, (1 + 1) / 5, (3 * 2/5 + 2 * 2/3) / 5.
    assert (weighted.precision, weighted.recall, weighted.f1) == pytest.approx((0.7, 0.4, 0.506667), abs=1e-6)


def test_what_is_undefined_is_none_and_what_is_missed_is_zero() -> None:
    unused = efficacy(TRUTH, SAID, THREE).by_label[2]
    assert (unused.precision, unused.recall, unused.f1) == (None, None, None)
    never_said = Confusion(0, 0, 3)
    assert (never_said.precision, never_said.recall, never_said.f1) == (None, 0.0, 0.0)
    invented = Confusion(0, 3, 0)
    assert (invented.precision, invented.recall, invented.f1) == (0.0, None, 0.0)
    only_invented = efficacy([[0]], [[1]], ("a",))
    assert only_invented.weighted.precision is None and only_invented.macro.precision == 0.0
    empty = efficacy(np.zeros((0, 3)), np.zeros((0, 3)), THREE)
    assert empty.macro.f1 is None and empty.micro.f1 is None and empty.crg is None


def test_crg_weighs_hits_by_how_rare_findings_are() -> None:
    # T = 12, A = 5, w = 0.7, S = 3.5, sum = 0.7 * (2 - 3) - 1 = -1.7.
    assert efficacy(TRUTH, SAID, THREE).crg == pytest.approx(3.5 / 8.7)


def test_crg_gives_a_third_for_nothing_and_for_everything() -> None:
    truth = np.array(TRUTH)
    assert efficacy(truth, truth, THREE).crg == pytest.approx(1.0)
    assert efficacy(truth, np.zeros_like(truth), THREE).crg == pytest.approx(1 / 3)
    assert efficacy(truth, np.ones_like(truth), THREE).crg == pytest.approx(1 / 3)
    assert efficacy(truth, 1 - truth, THREE).crg == pytest.approx(1 / 5)
    assert crg(Confusion(0, 2, 0), 12) is None and crg(Confusion(12, 0, 0), 12) is None


def test_labels_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(reports, 18\), got \(4, 3\)"):
        efficacy(TRUTH, SAID)
    with pytest.raises(ValueError, match="one shape"):
        efficacy(TRUTH, SAID[:2], THREE)
    with pytest.raises(ValueError, match="0 or 1"):
        efficacy([[0.5, 0, 0]], [[0, 0, 0]], THREE)
    assert len(set(LABELS)) == 18
