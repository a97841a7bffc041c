"""The exact distribution of a sum over independent runs, each with a distribution of its own, and its tails.

What a run adds is rounded to whole cells, once, before anything is compared: the statistic is the rounded one, and its
distribution under the null is exact, by multiplying characteristic functions (Hong 2013, the Poisson binomial case).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy
from numpy.typing import NDArray

Array = NDArray[numpy.float64]
_FINE = 100  # cells in a standard deviation of the sum, where the range allows
_CELLS = 2**15  # at most, for the whole range of the sum
_NOISE = 1e-14  # what rounding leaves in a probability after the transform


@dataclass(frozen=True)
class Term:
    """One run's part of a sum: the values it may take with their probabilities, and the one it took."""

    values: Array
    probability: Array
    observed: float


@dataclass(frozen=True)
class NullSum:
    """A sum on a grid: P(sum = (first + i)·step) = mass[i], and where it was observed, as an index."""

    first: int
    step: float
    mass: Array
    observed: int

    @property
    def value(self) -> float:
        return (self.first + self.observed) * self.step

    @property
    def mean(self) -> float:
        return float((self.first + self._index @ self.mass) * self.step)

    @property
    def sd(self) -> float:
        centred = self._index - self._index @ self.mass
        return float(numpy.sqrt(centred**2 @ self.mass) * self.step)

    @property
    def p_value(self) -> float:
        """Two-sided: min(1, 2·P(sum ≤ observed), 2·P(sum ≥ observed))."""
        below = self._below[self.observed]
        above = self._above[self.observed]
        return float(min(1.0, 2 * min(below, above)))

    def interval(self, alpha: float) -> tuple[float, float]:
        """The ends of the values whose two-sided p-value is at least alpha: outside lies at most alpha."""
        low, high = self._ends(alpha)
        return (self.first + low) * self.step, (self.first + high) * self.step

    def power(self, other: "NullSum", alpha: float) -> float:
        """The probability of a p-value below alpha where the sum follows ``other``, in cells of the same size."""
        low, high = self._ends(alpha)
        index = other.first - self.first + numpy.arange(len(other.mass))
        return float(numpy.clip(other.mass[(index < low) | (index > high)].sum(), 0.0, 1.0))

    def _ends(self, alpha: float) -> tuple[int, int]:
        kept = numpy.nonzero((2 * self._below >= alpha) & (2 * self._above >= alpha))[0]
        return (int(kept[0]), int(kept[-1])) if len(kept) else (self.observed, self.observed)

    @property
    def _index(self) -> Array:
        return numpy.arange(len(self.mass), dtype=numpy.float64)

    @cached_property
    def _below(self) -> Array:
        return self.mass.cumsum()

    @cached_property
    def _above(self) -> Array:
        return self.mass[::-1].cumsum()[::-1]


def sum_of(terms: Sequence[Term], *, counts: bool = False, step: float | None = None) -> NullSum:
    """The distribution of Σ terms. counts: the values are whole numbers, and stay so; step: the cell, if given."""
    step = 1.0 if counts else step or _cell(terms)
    cells = [numpy.rint(term.values / step).astype(numpy.int64) for term in terms]
    lowest = [int(cell.min()) for cell in cells]
    first, size = _window(terms, cells)
    length = 1 << max(1, (size - 1).bit_length())
    transform = numpy.ones(length // 2 + 1, dtype=numpy.complex128)
    for term, cell, low in zip(terms, cells, lowest, strict=True):
        own = numpy.bincount((cell - low) % length, weights=term.probability, minlength=length)
        transform *= numpy.fft.rfft(own / own.sum())
    around = numpy.fft.irfft(transform, length)
    mass = around[(first - sum(lowest) + numpy.arange(size)) % length]
    mass = numpy.where(mass > _NOISE, mass, 0.0)
    observed = sum(int(numpy.rint(term.observed / step)) for term in terms) - first
    return NullSum(first, step, mass / mass.sum(), int(numpy.clip(observed, 0, size - 1)))


def _window(terms: Sequence[Term], cells: Sequence[NDArray[numpy.int64]]) -> tuple[int, int]:
    """First cell and number of cells: all that the sum can be, or all but a probability of e⁻³³ at either end."""
    low, high = sum(int(cell.min()) for cell in cells), sum(int(cell.max()) for cell in cells)
    moments = [_moments(term, cell) for term, cell in zip(terms, cells, strict=True)]
    mean, variance = sum(m for m, _ in moments), sum(v for _, v in moments)
    half = _half_width(variance, max(int(cell.max() - cell.min()) for cell in cells)) + 1
    first, last = max(low, math.floor(mean - half)), min(high, math.ceil(mean + half))
    return first, last - first + 1


def _half_width(variance: float, reach: float) -> float:
    """t with P(|sum − mean| > t) ≤ 2 e⁻³³: Bernstein's inequality t²/2 ≥ 33 (variance + reach·t/3)."""
    return 11 * reach + math.sqrt(121 * reach**2 + 66 * variance)


def _cell(terms: Sequence[Term]) -> float:
    variance = sum(_moments(term, term.values)[1] for term in terms)
    reaches = [float(term.values.max() - term.values.min()) for term in terms]
    width = min(sum(reaches), 2 * _half_width(variance, max(reaches)))
    return max(math.sqrt(variance) / _FINE, width / _CELLS) or 1.0


def _moments(term: Term, values: NDArray[numpy.int64] | Array) -> tuple[float, float]:
    """Mean and variance of one run's part."""
    share = term.probability / term.probability.sum()
    mean = float(share @ values)
    return mean, float(share @ (values - mean) ** 2)
