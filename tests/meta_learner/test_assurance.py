"""The intervals of shares against scipy, and of needed budgets against their promise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from meta_learner.evaluation.assurance import Needed, assured, clopper_pearson, needed, wilson


@pytest.mark.parametrize(("interval", "method"), [(wilson, "wilson"), (clopper_pearson, "exact")])
@pytest.mark.parametrize("trials", [1, 7, 100])
def test_intervals_of_shares_are_scipys(interval, method: str, trials: int) -> None:  # type: ignore[no-untyped-def]
    low, high = interval(np.arange(trials + 1.0), trials)
    for successes in range(trials + 1):
        expected = stats.binomtest(successes, trials).proportion_ci(0.95, method)
        assert (low[successes], high[successes]) == pytest.approx((expected.low, expected.high), abs=1e-9)


def worlds(passages: NDArray[np.int64], budgets: int) -> NDArray[np.bool_]:
    """Worlds that meet a target from their own budget on."""
    return np.arange(budgets)[None] >= passages[:, None]


def test_the_smallest_budget_from_which_on() -> None:
    assert needed(worlds(np.array([1, 2, 2, 3, 9]), 6), 0.8).index == 3
    assert needed(worlds(np.array([1, 2, 2, 9, 9]), 6), 0.8).index is None
    falling_back = np.array([[False, True, False, True]] * 5)
    assert needed(falling_back, 0.8).index == 3, "at budget 1 it is met, but not from there on"
    assert needed(worlds(np.zeros(25, dtype=np.int64) + 2, 4), 0.8) == Needed(2, 2, 2)
    assert needed(np.zeros((0, 3), dtype=bool), 0.8) == Needed(None, 0, None)


def test_an_interval_that_ends_beyond_the_budget() -> None:
    assert needed(worlds(np.array([2, 2, 2, 2, 2]), 4), 0.8) == Needed(2, 2, None), "five worlds are too few to be sure"
    assert needed(worlds(np.full(50, 9), 4), 0.8) == Needed(None, None, None)


@pytest.mark.statistical
@pytest.mark.parametrize("sticky", [True, False], ids=["never falls back", "met anew at each budget"])
def test_the_interval_holds_the_truth_in_95_percent(sticky: bool) -> None:
    """2,000 studies of 60 worlds: more than 137 misses have a probability below 1e-4 at a miss rate of 5 %.

    A rate of 9 % or more would be seen with a probability above 99 %.
    """
    generator = np.random.default_rng(3)
    share = stats.norm.cdf((np.arange(30) - 12) / 5)
    truth = int((share < 0.8).sum())
    misses, closed = 0, 0
    for _ in range(2000):
        draws = generator.random((60, 1 if sticky else 30))
        found = needed(draws < share, 0.8)
        low, high = (30 if end is None else end for end in (found.low, found.high))
        misses += not low <= truth <= high
        closed += high < 29
    assert misses <= 137
    assert closed > 1000, "an interval that is always open would never miss"


def test_what_a_share_of_the_worlds_does_not_exceed() -> None:
    assert assured(np.array([5.0, 1.0, 4.0, 2.0, 3.0]), 0.8) == 4.0
    assert assured(np.array([5.0, 1.0, np.nan, 2.0, 3.0]), 0.81) == np.inf
    assert np.isnan(assured(np.array([]), 0.8))
