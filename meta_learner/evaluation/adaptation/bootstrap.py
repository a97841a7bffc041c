"""Stratified bootstrap with percentile intervals, vectorised: runs are drawn again within each domain.

Efron 1979, Bootstrap methods: another look at the jackknife; strata as in Agarwal, Schwarzer, Castro, Courville &
Bellemare 2021, Deep reinforcement learning at the edge of the statistical precipice, NeurIPS. Percentile intervals of
few runs are somewhat too short. Scales of normalisation are taken as known, as there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from domains import randomness

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]  # of [..., runs] → [...]

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Resamples:
    """Which runs each resample holds: an array [resamples, runs of it] a stratum. All policies share them, so that
    differences between policies in the same worlds stay paired."""

    indices: tuple[NDArray[np.int64], ...]

    def of(self, strata: Sequence[Array]) -> Array:
        """values [runs] of each stratum → [resamples, all runs]."""
        return np.concatenate([one[index] for one, index in zip(strata, self.indices, strict=True)], axis=-1)

    @property
    def counts(self) -> tuple[Array, ...]:
        """How often each resample holds each run [resamples, runs], a stratum each."""
        return tuple(_counts(index) for index in self.indices)


def resamples(sizes: Sequence[int], many: int, generator: torch.Generator) -> Resamples:
    """``many`` draws with replacement of as many runs as each stratum has."""
    drawn = (randomness.integers(size, (many, size), generator).cpu().numpy() for size in sizes)
    return Resamples(tuple(drawn))


def _counts(index: NDArray[np.int64]) -> Array:
    many, size = index.shape
    flat = index + size * np.arange(many)[:, None]
    return np.bincount(flat.ravel(), minlength=many * size).reshape(many, size).astype(np.float64)


def percentile(value: float, replicates: Array, level: float = LEVEL) -> Interval:
    """The interval between quantiles of what resamples gave [resamples]; unknown where one of them is not a number."""
    if math.isnan(value) or np.isnan(replicates).any():
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Interval(float(value), float(low), float(high))


def estimate(strata: Sequence[Array], statistic: Statistic, drawn: Resamples) -> Interval:
    """A statistic of all runs' values [runs] a stratum, with its interval."""
    return percentile(float(statistic(np.concatenate(strata))), statistic(drawn.of(strata)))
