"""How long until a score is reached, where some runs never reach it: those are right-censored, and stay in.

Product-limit estimate: Kaplan & Meier 1958, Nonparametric estimation from incomplete observations; variance: Greenwood
1926; the median's interval: Brookmeyer & Crowley 1982, A confidence interval for the median survival time, on the
log(−log) scale; restricted mean: Irwin 1949, Royston & Parmar 2013.

Reaching is the first passage: the first experiment after which the score is high enough, whatever comes later. Along
the cost every run is censored at the budget. Along experiments, where these differ in cost, a run that affords fewer is
censored sooner, for reasons that may go with its speed: there the cost is the axis to trust.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from meta_learner.evaluation.adaptation.bootstrap import LEVEL, Array
from meta_learner.evaluation.adaptation.curves import Curves

_TAIL = (1 - LEVEL) / 2
_Z = -float(ndtri(_TAIL))


@dataclass(frozen=True)
class Times:
    """time [runs]: when a run reached the threshold; where not ``reached``, until when it is known not to have."""

    time: Array
    reached: NDArray[np.bool_]


@dataclass(frozen=True)
class Survival:
    """S(t), the share of runs that have not reached it by t, with 95 % limits, at 0 and whenever a run did [times]."""

    time: Array
    share: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Passage:
    """Along one axis. median: when half of the runs have reached it; None: not within the budget, for the median as for
    either end of its 95 % interval. restricted_mean: of the time to reach it or the horizon, whichever comes first, ±
    error. reached: how many runs of ``runs``; the others are censored."""

    median: float | None
    low: float | None
    high: float | None
    restricted_mean: float
    error: float
    horizon: float
    reached: int
    runs: int


def experiments_to_reach(curves: Curves, threshold: float) -> Times:
    """Experiments until the score is at least ``threshold``; a run that never is, is censored at those it made."""
    count = np.arange(curves.score.shape[1], dtype=np.float64)
    return _first(curves.score >= threshold, np.minimum(count, curves.experiments[:, None]))


def cost_to_reach(curves: Curves, threshold: float, budget: float) -> Times:
    """Cost until the score is at least ``threshold``; a run that never is, is censored at the budget."""
    found = _first(curves.score >= threshold, curves.spent)
    return Times(np.where(found.reached, found.time, budget), found.reached)


def _first(hit: NDArray[np.bool_], axis: Array) -> Times:
    reached: NDArray[np.bool_] = hit.max(1)
    place = np.where(reached, hit.argmax(1), hit.shape[1] - 1)
    return Times(np.take_along_axis(axis, place[:, None], axis=1)[:, 0], reached)


def kaplan_meier(times: Times) -> Survival:
    """S(t) = Π_{t_j ≤ t} (1 − d_j/n_j), d_j runs of n_j at risk reaching it at t_j.

    Limits S^exp(± z s), s² = Σ d_j/(n_j (n_j − d_j)) ÷ log² S. Where S is 1 or 0 that says nothing, and the exact
    limits of n or 0 of n runs take its place, (α/2)^(1/n) and 1 − (α/2)^(1/n), with the n that were at risk; the upper
    limit never rises, as S does not.
    """
    when = np.union1d([0.0], times.time[times.reached])
    risk = (times.time[:, None] >= when).sum(0).astype(np.float64)
    events = ((times.time[:, None] == when) & times.reached[:, None]).sum(0)
    share = np.cumprod(1 - events / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(events / (risk * (risk - events)))) / np.abs(np.log(share))
        low, high = (share ** np.exp(sign * _Z * spread) for sign in (1, -1))
    bound = _TAIL ** (1 / risk)
    low = np.where(share == 1, bound, np.where(share == 0, 0.0, low))
    high = np.where(share == 1, 1.0, np.where(share == 0, 1 - bound, high))
    return Survival(when, share, low, np.minimum.accumulate(high))


def median(found: Survival) -> tuple[float | None, float | None, float | None]:
    """The first t with S(t) ≤ ½, and of its interval: the first at which the lower, the upper limit of S is."""
    middle, low, high = (_first_at_most_half(found.time, values) for values in (found.share, found.low, found.high))
    return middle, low, high


def _first_at_most_half(time: Array, values: Array) -> float | None:
    below = np.flatnonzero(values <= 0.5 + 1e-12)
    return float(time[below[0]]) if len(below) else None


def restricted_means(times: Times, horizon: float, counts: Array) -> Array:
    """∫₀ʰ S(t) dt, the mean of min(time, h) [resamples], where a resample holds each run ``counts`` times [resamples,
    runs]. Beyond the last run at risk S stays as it is."""
    edges, survival = _steps(times, horizon, counts)
    found: Array = (survival * np.diff(edges)).sum(-1)
    return found


def _steps(times: Times, horizon: float, counts: Array) -> tuple[Array, Array]:
    """0, the times of events before the horizon, and the horizon [edges + 1]; S in between [resamples, edges]."""
    when = np.unique(times.time[times.reached & (times.time < horizon)])
    events = counts @ ((times.time[:, None] == when) & times.reached[:, None]).astype(np.float64)
    risk = counts @ (times.time[:, None] >= when).astype(np.float64)
    factor = 1 - events / np.maximum(risk, 1.0)
    survival = np.cumprod(np.concatenate([np.ones((len(counts), 1)), factor], axis=-1), axis=-1)
    return np.concatenate([[0.0], when, [horizon]]), survival


def restricted_mean(times: Times, horizon: float) -> tuple[float, float]:
    """``restricted_means`` of the runs as they are, and its standard error: √Σ_j A_j² d_j/(n_j (n_j − d_j)) with
    A_j = ∫_{t_j}^h S(t) dt."""
    everyone = np.ones((1, len(times.time)))
    edges, survival = _steps(times, horizon, everyone)
    pieces = survival[0] * np.diff(edges)
    after = pieces.sum() - np.cumsum(pieces)[:-1]  # A_j of every event
    when = edges[1:-1]
    risk = (times.time[:, None] >= when).sum(0)
    events = ((times.time[:, None] == when) & times.reached[:, None]).sum(0)
    left = np.maximum(risk - events, 1)  # where none is left, A_j is 0
    return float(pieces.sum()), math.sqrt(float((after**2 * events / (risk * left)).sum()))


def passage(times: Times, horizon: float) -> Passage:
    """Everything about the time to reach a threshold."""
    mean, error = restricted_mean(times, horizon)
    return Passage(*median(kaplan_meier(times)), mean, error, horizon, int(times.reached.sum()), len(times.time))
