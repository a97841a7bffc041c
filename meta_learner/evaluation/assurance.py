"""Assurance: the smallest budget at which a target is met in a wanted share of the worlds, and how sure that budget is.

Assurance is the probability, over what the prior allows, that a study of a given size succeeds (O'Hagan, Stevens &
Campbell 2005, Assurance in clinical trial design, Pharmaceutical Statistics 4(3), 187–201; for interval widths, Joseph,
Wolfson & du Berger 1995, Sample size calculations for binomial proportions via highest posterior density intervals).
With ``reached`` [worlds, budgets] telling where a target is met, π(b) = P(met at budget b) is estimated by the share of
worlds; wanted is b* = min {b : π ≥ γ from b on}.

The interval of b* turns the exact binomial intervals [l(b), u(b)] (Clopper & Pearson 1934) of the single budgets
around: from the first b with u(b) ≥ γ to the first b from which on l ≥ γ. Either end is wrong with probability α/2 at
most, however many budgets are looked at: the lower end lies above b* only if u(b*) < γ ≤ π(b*), the upper end below b*
only if l ≥ γ > π at the last budget before b*. Where a world never falls back once it has met the target, this is the
order-statistic interval of a quantile of the budgets at which worlds meet it (David & Nagaraja 2003, section 7.1).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

LEVEL = 0.95  # of all intervals of shares and budgets
_Z = 1.959963984540054  # the standard normal's quantile at (1 + LEVEL) / 2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Needed:
    """Indices into the budgets; None: not within the largest. low and high are the ends of the 95 % interval."""

    index: int | None
    low: int | None
    high: int | None


def wilson(successes: Array, trials: int) -> tuple[Array, Array]:
    """The 95 % score interval of a share (Wilson 1927): (p + z²/2n ± z√(p(1 − p)/n + z²/4n²)) ÷ (1 + z²/n)."""
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    reach = _Z * np.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    whole = 1 + _Z**2 / trials
    return np.clip((centre - reach) / whole, 0.0, 1.0), np.clip((centre + reach) / whole, 0.0, 1.0)


def clopper_pearson(successes: Array, trials: int) -> tuple[Array, Array]:
    """The exact 95 % interval of a share, from quantiles of beta(k, n − k + 1) and beta(k + 1, n − k)."""
    tail = (1 - LEVEL) / 2
    low = np.where(successes > 0, betaincinv(np.maximum(successes, 1), trials - successes + 1, tail), 0.0)
    high = np.where(successes < trials, betaincinv(successes + 1, np.maximum(trials - successes, 1), 1 - tail), 1.0)
    return low, high


def needed(reached: NDArray[np.bool_], assurance: float) -> Needed:
    """The smallest budget with its 95 % interval, from which worlds met a target where: reached [worlds, budgets]."""
    trials = len(reached)
    if trials == 0:
        return Needed(None, 0, None)
    successes = reached.sum(0).astype(np.float64)
    low, high = clopper_pearson(successes, trials)
    possible = high >= assurance
    return Needed(
        index=_from_here_on(successes >= assurance * trials * (1 - 1e-12)),
        low=int(possible.argmax()) if possible.any() else None,
        high=_from_here_on(low >= assurance),
    )


def _from_here_on(holds: NDArray[np.bool_]) -> int | None:
    """The first index from which on something always holds; None where it does not hold at the end."""
    if not holds[-1]:
        return None
    fails = np.flatnonzero(~holds)
    return int(fails[-1]) + 1 if len(fails) else 0


def assured(values: Array, assurance: float) -> float:
    """The smallest limit that a share ``assurance`` of values [worlds] does not exceed; NaN where there is no world."""
    if len(values) == 0:
        return math.nan
    ordered = np.sort(np.where(np.isnan(values), np.inf, values))
    return float(ordered[max(0, math.ceil(assurance * len(values) * (1 - 1e-12)) - 1)])
