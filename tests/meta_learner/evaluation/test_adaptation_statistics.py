"""What is read off adaptation curves, against closed forms, hand-computed examples and scipy."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from domains import randomness
from meta_learner.evaluation.adaptation import aggregates, transfer
from meta_learner.evaluation.adaptation.bootstrap import Interval, estimate, resamples
from meta_learner.evaluation.adaptation.curves import Curves
from meta_learner.evaluation.adaptation.survival import (
    Times,
    cost_to_reach,
    experiments_to_reach,
    kaplan_meier,
    median,
    passage,
    restricted_mean,
    restricted_means,
)

# Ten runs: three are censored, at 3, 6 and 8. By hand: S falls at 1 (10 at risk), 2 (9), 3 (8; the one censored at 3
# is still at risk), 5 (6), 6 (5), 7 (3) and 9 (1).
TIME = np.array([1.0, 2, 3, 3, 5, 6, 6, 7, 8, 9])
REACHED = np.array([1, 1, 1, 0, 1, 1, 0, 1, 0, 1], dtype=bool)
TEN = Times(TIME, REACHED)


def normal(shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = randomness.normal(shape, randomness.generator(seed)).cpu().numpy()
    return found


def test_kaplan_meier_is_the_hand_computed_one() -> None:
    found = kaplan_meier(TEN)
    assert found.time.tolist() == [0, 1, 2, 3, 5, 6, 7, 9]
    steps = [1, 9 / 10, 8 / 9, 7 / 8, 5 / 6, 4 / 5, 2 / 3, 0]
    assert found.share == pytest.approx(np.cumprod(steps))
    assert median(found)[0] == 6.0, "S(5) = 0.583, S(6) = 0.467"


def test_limits_are_scipys_where_greenwoods_variance_says_something() -> None:
    found = kaplan_meier(TEN)
    data = stats.CensoredData(uncensored=TIME[REACHED], right=TIME[~REACHED])
    theirs = stats.ecdf(data).sf
    with pytest.warns(RuntimeWarning, match="undefined at some observations"):
        between = theirs.confidence_interval(0.95, method="log-log")
    inside = (found.share > 0) & (found.share < 1)
    for time, share, low, high in np.stack([found.time, found.share, found.low, found.high])[:, inside].T:
        assert share == pytest.approx(theirs.evaluate(time))
        assert low == pytest.approx(between.low.evaluate(time))
        assert high == pytest.approx(between.high.evaluate(time))
    assert (found.low[0], found.high[0]) == pytest.approx((0.025**0.1, 1.0))
    assert all(np.diff(found.high) <= 0)


def test_restricted_mean_is_the_area_and_has_greenwoods_error() -> None:
    """∫₀⁸ S, S = 1, .9, .8, .7, .7, .58333, .46667, .31111 over the eight units."""
    mean, error = restricted_mean(TEN, 8.0)
    shares = np.cumprod([1, 9 / 10, 8 / 9, 7 / 8, 1, 5 / 6, 4 / 5, 2 / 3])
    assert mean == pytest.approx(shares.sum())
    events = {1: 10, 2: 9, 3: 8, 5: 6, 6: 5, 7: 3}
    variance = sum(shares[when:].sum() ** 2 / (risk * (risk - 1)) for when, risk in events.items())
    assert error == pytest.approx(variance**0.5)
    twice = restricted_means(TEN, 8.0, np.stack([np.ones(10), 2 * np.ones(10)]))
    assert twice == pytest.approx([mean, mean])


def test_without_censoring_before_the_horizon_it_is_the_plain_mean() -> None:
    time = np.array([0.0, 1, 1, 3, 4, 4])
    times = Times(time, np.array([1, 1, 1, 1, 0, 0], dtype=bool))
    mean, error = restricted_mean(times, 4.0)
    assert mean == pytest.approx(time.mean())
    assert error == pytest.approx(time.std() / 6**0.5)
    found = passage(times, 4.0)
    assert (found.median, found.reached, found.runs) == (1.0, 4, 6)


def test_a_score_that_all_or_none_reach() -> None:
    at_once = passage(Times(np.ones(24), np.ones(24, dtype=bool)), 4.0)
    assert (at_once.median, at_once.low, at_once.high) == (1.0, 1.0, 1.0)
    assert (at_once.restricted_mean, at_once.error) == (1.0, 0.0)
    never = passage(Times(np.full(24, 4.0), np.zeros(24, dtype=bool)), 4.0)
    assert (never.median, never.low, never.high) == (None, None, None)
    assert (never.restricted_mean, never.reached) == (4.0, 0)
    few = passage(Times(np.ones(3), np.ones(3, dtype=bool)), 4.0)
    assert (few.median, few.low, few.high) == (1.0, 0.0, None), "three runs say little of where half of all are"


def test_runs_that_never_reach_it_are_censored_where_their_budget_ends() -> None:
    """The second run falls back, and has reached it; the third made one experiment at a cost of 2."""
    curves = Curves(
        score=np.array([[0, 1, 2, 3], [0, 3, 1, 1], [0, 2, 2, 2], [0, 0, 0, 1.0]]),
        spent=np.array([[0, 1, 2, 3], [0, 2, 3, 4], [0, 2, 2, 2], [0, 1, 2, 3.0]]),
        experiments=np.array([3, 3, 1, 3]),
    )
    made, cost = experiments_to_reach(curves, 2.5), cost_to_reach(curves, 2.5, 5.0)
    assert made.time.tolist() == [3, 1, 1, 3]
    assert cost.time.tolist() == [3, 2, 5, 5]
    for times in (made, cost):
        assert times.reached.tolist() == [True, True, False, False]
    assert experiments_to_reach(curves, 0.0).time.tolist() == [0, 0, 0, 0]
    assert not experiments_to_reach(curves, math.nan).reached.any()
    assert curves.along([0, 2, 2.5, 5]).tolist() == [[0, 2, 2, 3], [0, 3, 3, 1], [0, 2, 2, 2], [0, 0, 0, 1]]


@pytest.mark.parametrize("runs", [4, 7, 24, 101])
def test_interquartile_mean_is_scipys(runs: int) -> None:
    values = normal((3, runs), runs)
    assert aggregates.iqm(values) == pytest.approx(stats.trim_mean(values, 0.25, axis=-1))


def test_area_and_gap() -> None:
    progress = np.array([[0.0, 1.0, 1.0], [0.0, 0.5, 1.0]])
    assert aggregates.area(progress, (0, 2, 4)).tolist() == [0.75, 0.5]
    assert aggregates.optimality_gap(np.array([0.0, 0.5, 2.0])) == 0.5


def test_resamples_stay_within_strata_and_are_the_same_for_all() -> None:
    drawn = resamples([5, 9], 300, randomness.generator(1))
    first, second = np.arange(5.0), np.arange(100.0, 109.0)
    values = drawn.of([first, second])
    assert values.shape == (300, 14)
    assert set(values[:, :5].ravel()) == set(first)
    assert set(values[:, 5:].ravel()) == set(second)
    for counts, size, index in zip(drawn.counts, (5, 9), drawn.indices, strict=True):
        assert (counts.sum(1) == size).all()
        assert counts[7].tolist() == np.bincount(index[7], minlength=size).tolist()


@pytest.mark.statistical
def test_bootstrap_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Interquartile means of 2 × 40 runs from normals at −3 and 3, whose truth is 0: 2,000 samples, 400 resamples each.

    Such intervals cover 0.947 (4,000 other samples), 15 % shorter ones 0.893. Bounds are 4.4 standard deviations of
    0.005 away: false alarms in 1e-5, and the shorter ones would be seen but in 1e-5.
    """
    held, samples = 0, 2000
    for seed in range(samples):
        values = normal((2, 40), seed)
        strata = [values[0] - 3.0, values[1] + 3.0]
        found = estimate(strata, aggregates.iqm, resamples([40, 40], 400, randomness.generator(10_000 + seed)))
        held += found.low <= 0 <= found.high
    assert 0.925 < held / samples < 0.975


def test_profiles_fall_within_their_bands() -> None:
    strata = [normal((30,), 3), normal((20,), 4) + 1.0]
    drawn = resamples([30, 20], 500, randomness.generator(5))
    thresholds = np.linspace(-4, 4, 41)
    found = aggregates.profile(strata, thresholds.tolist(), drawn)
    for values in (found.share, found.low, found.high):
        assert (np.diff(values) <= 0).all()
    together = np.concatenate(strata)
    assert found.share[20] == pytest.approx((together > 0).mean())
    assert (np.array(found.low) <= found.share).all()
    assert (np.array(found.high) >= found.share).all()
    assert (found.share[0], found.share[-1]) == (1.0, 0.0)


def test_improvement_is_mann_whitneys_and_pairs_count_worlds() -> None:
    ours, theirs = [normal((12,), 6) + 0.5, np.array([1.0, 2, 3])], [normal((12,), 7), np.array([1.0, 3, 1])]
    first, second = (resamples([12, 3], 400, randomness.generator(seed)) for seed in (1, 2))
    found = aggregates.improvement(ours, theirs, first, second)
    each = [stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in zip(ours, theirs, strict=True)]
    assert found.value == pytest.approx(np.mean(each))
    assert found.low < found.value < found.high
    paired = aggregates.paired_improvement(ours, theirs, first)
    assert paired.value == pytest.approx(((ours[0] > theirs[0]).mean() + (0.5 + 0 + 1) / 3) / 2)
    index = first.indices
    again = [np.mean([(x[i] > y[i]).mean() + 0.5 * (x[i] == y[i]).mean()]) for x, y, i in
             zip(ours, theirs, (index[0][0], index[1][0]), strict=True)]  # fmt: skip
    shares = [c[0] @ ((x > y) + 0.5 * (x == y)) / len(x) for c, x, y in zip(first.counts, ours, theirs, strict=True)]
    assert shares == pytest.approx(again)


def test_pairs_take_away_what_worlds_have_in_common() -> None:
    worlds = 10 * normal((50,), 8)
    drawn = resamples([50], 500, randomness.generator(9))
    found = aggregates.paired_difference([worlds + 0.3], [worlds], drawn)
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))
    ours, theirs = np.zeros((50, 4)), np.zeros((50, 4))
    ours[:, 1], theirs[:, 0] = 0.25, 7.0
    assert transfer.jump_start([ours], [theirs], drawn).value == pytest.approx(0.25)
    assert transfer.jump_start([ours], [theirs], drawn, first=2).value == pytest.approx(0.125)


def test_what_is_saved_and_the_ratio_of_areas() -> None:
    never = Times(np.full(6, 4.0), np.zeros(6, dtype=bool))
    soon = Times(np.array([1.0, 1, 1, 1, 2, 2]), np.ones(6, dtype=bool))
    drawn = resamples([6, 6], 400, randomness.generator(2))
    found = transfer.saved([soon, never], [never, never], [4.0, 4.0], drawn)
    assert found.value == pytest.approx((4 - 8 / 6 + 0) / 2)
    assert found.low < found.value < found.high
    share = transfer.saved_share([soon, never], [never, never], [4.0, 4.0], drawn)
    assert share.value == pytest.approx(found.value / 4)
    ratio = transfer.transfer_ratio([np.full(6, 0.6)] * 2, [np.full(6, 0.4)] * 2, drawn)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert math.isnan(transfer.transfer_ratio([np.ones(6)] * 2, [np.zeros(6)] * 2, drawn).value)


@pytest.mark.parametrize(
    ("training", "saving", "tasks"),
    [
        (100.0, Interval(2.0, 1.0, 4.0), (50.0, 25.0, 100.0)),
        (100.0, Interval(2.0, -1.0, 4.0), (50.0, 25.0, math.inf)),
        (100.0, Interval(0.0, -1.0, 0.0), (math.inf, math.inf, math.inf)),
        (0.0, Interval(-1.0, -2.0, 1.0), (0.0, 0.0, 0.0)),
    ],
)
def test_break_even(training: float, saving: Interval, tasks: tuple[float, ...]) -> None:
    found = transfer.break_even(training, saving)
    assert (found.value, found.low, found.high) == tasks


def test_break_even_of_an_unknown_saving_is_unknown() -> None:
    assert math.isnan(transfer.break_even(5.0, Interval(math.nan, math.nan, math.nan)).value)
