"""Intervals by drawing patients anew: what can be told by hand on few or uniform patients."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.evaluate.intervals import Interval, Quotient, difference_of, draws_of, interval_of


def quotient(parts: list[float], wholes: list[float]) -> Quotient:
    return Quotient(np.array(parts), np.array(wholes))


def test_a_score_is_the_sum_of_parts_over_the_sum_of_wholes_and_not_the_mean_of_shares() -> None:
    assert quotient([1, 0], [1, 3]).value == 0.25
    assert quotient([0, 0], [0, 0]).value is None
    with pytest.raises(ValueError, match="one number a patient"):
        quotient([1], [1, 2])


def test_each_resample_draws_as_many_patients_as_there_are() -> None:
    draws = draws_of(7, np.random.default_rng(0), 50)
    assert draws.shape == (50, 7) and (draws.sum(axis=1) == 7).all()
    assert len({tuple(row) for row in draws}) > 40
    with pytest.raises(ValueError, match="no patients"):
        draws_of(0, np.random.default_rng(0))


def test_patients_who_are_all_alike_leave_no_doubt() -> None:
    draws = draws_of(5, np.random.default_rng(1))
    assert interval_of(quotient([1] * 5, [2] * 5), draws) == Interval(0.5, 0.5, 0.5)


def test_the_interval_of_a_share_is_that_of_the_binomial_distribution() -> None:
    # Of 100 patients 50 are right. Binomial(100, 1/2): 2.5 % lie below 40, 97.5 % at or below 60.
    draws = draws_of(100, np.random.default_rng(2), 4000)
    found = interval_of(quotient([1, 0] * 50, [1] * 100), draws)
    assert found is not None and found.value == 0.5
    assert found.low == pytest.approx(0.40, abs=0.011) and found.high == pytest.approx(0.60, abs=0.011)


def test_a_difference_that_every_patient_shows_is_sure_though_the_scores_are_not() -> None:
    # Each patient has one more of ten right with the one than with the other, but patients differ widely.
    draws = draws_of(20, np.random.default_rng(3))
    base = np.array([0.0, 9.0] * 10)
    one, other = Quotient(base + 1, np.full(20, 10.0)), Quotient(base, np.full(20, 10.0))
    wide = interval_of(one, draws)
    assert wide is not None and wide.high - wide.low > 0.2
    found = difference_of(one, other, draws)
    assert found is not None and found.excludes_zero
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_difference_of_one_patient_in_twenty_is_not_told_from_none() -> None:
    draws = draws_of(20, np.random.default_rng(4))
    found = difference_of(quotient([1] + [0] * 19, [1] * 20), quotient([0] * 20, [1] * 20), draws)
    assert found is not None and found.low == 0.0 and not found.excludes_zero


def test_what_is_undefined_has_no_interval_and_no_difference() -> None:
    draws = draws_of(3, np.random.default_rng(5))
    nothing, something = quotient([0, 0, 0], [0, 0, 0]), quotient([1, 0, 1], [1, 1, 1])
    assert interval_of(nothing, draws) is None and difference_of(something, nothing, draws) is None
    # Only one patient defines it: draws without that patient say nothing and are left out.
    assert interval_of(quotient([1, 0, 0], [1, 0, 0]), draws) == Interval(1.0, 1.0, 1.0)
