"""What an agent gains on another by what it has learned before, and after how many tasks its training has paid off.

Measures of Taylor & Stone 2009, Transfer learning for reinforcement learning domains: a survey, JMLR 10, 1633–1685,
section 2: jump-start, transfer ratio (here of areas under curves of progress), time to threshold (here restricted
means, for runs that never reach it). All between agents in the same worlds, a stratum a domain.
"""

import math
from collections.abc import Sequence

import numpy as np

from meta_learner.evaluation.adaptation.aggregates import iqm, paired_difference
from meta_learner.evaluation.adaptation.bootstrap import Array, Interval, Resamples, percentile
from meta_learner.evaluation.adaptation.survival import Times, restricted_means


def jump_start(ours: Sequence[Array], theirs: Sequence[Array], drawn: Resamples, first: int = 1) -> Interval:
    """Mean difference of progress over the first experiments, columns 1 … first of [runs, experiments + 1]."""
    mine, yours = ([one[:, 1 : first + 1].mean(1) for one in each] for each in (ours, theirs))
    return paired_difference(mine, yours, drawn)


def transfer_ratio(ours: Sequence[Array], theirs: Sequence[Array], drawn: Resamples) -> Interval:
    """Our area over theirs, less 1: interquartile means of areas [runs] a stratum. NaN where they make no progress."""
    value = _ratio(iqm(np.concatenate(ours)), iqm(np.concatenate(theirs)))
    return percentile(float(value), _ratio(iqm(drawn.of(ours)), iqm(drawn.of(theirs))))


def _ratio(ours: Array, theirs: Array) -> Array:
    positive = theirs > 0
    found: Array = np.where(positive, ours / np.where(positive, theirs, 1.0) - 1, np.nan)
    return found


def saved(ours: Sequence[Times], theirs: Sequence[Times], horizons: Sequence[float], drawn: Resamples) -> Interval:
    """Experiments a task that we need less: restricted mean of theirs less ours, mean over strata.

    What is reached with the last experiment counts as if it were not reached: both take the whole horizon.
    """
    mine, yours = _means(ours, horizons, drawn), _means(theirs, horizons, drawn)
    return percentile(float((yours - mine)[0]), (yours - mine)[1:])


def saved_share(
    ours: Sequence[Times], theirs: Sequence[Times], horizons: Sequence[float], drawn: Resamples
) -> Interval:
    """``saved`` over what they need."""
    mine, yours = _means(ours, horizons, drawn), _means(theirs, horizons, drawn)
    share = np.where(yours > 0, 1 - mine / np.where(yours > 0, yours, 1.0), np.nan)
    return percentile(float(share[0]), share[1:])


def _means(times: Sequence[Times], horizons: Sequence[float], drawn: Resamples) -> Array:
    """Mean over strata of restricted means: of the runs as they are, then of every resample [1 + resamples]."""
    found = []
    for one, horizon, counts in zip(times, horizons, drawn.counts, strict=True):
        found.append(restricted_means(one, horizon, np.concatenate([np.ones((1, counts.shape[1])), counts])))
    result: Array = np.mean(found, axis=0)
    return result


def break_even(training: float, saving: Interval) -> Interval:
    """Tasks after which training has paid off: its cost over what each task saves, in one unit, experiments or seconds.

    Infinite where nothing is saved; 0 where training cost nothing. The interval is that of the saving turned around.
    """
    return Interval(*(_tasks(training, each) for each in (saving.value, saving.high, saving.low)))


def _tasks(training: float, saving: float) -> float:
    if training == 0:
        return 0.0
    if math.isnan(saving):
        return math.nan
    return training / saving if saving > 0 else math.inf
