"""Quantiles of counting laws: the smallest k with P(K ≤ k) ≥ p, exact and mostly without evaluating P.

A small mean is counted up from 0 by the ratio of neighbouring probabilities. Otherwise a third-order Cornish–Fisher
expansion gives a continuous quantile whose floor is k, unless it comes closer to a whole number than the expansion's
error (Giles 2016, ACM Trans. Math. Softw. 42, 7): only then P decides, and only where the error may exceed one half is
k searched for. Each element's result depends on nothing else in the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

Array = NDArray[np.float64]
Parameters = tuple[Array, ...]

_FEW = 5.0  # up to this mean, counting is faster
_LONGEST = 60
_RARE = 1e-9  # beyond this on either side, sums of probabilities are too coarse to compare with
_CHUNK = 16384  # what fits the processor's cache
_SEARCHES = 2200  # more than a bracket needs that starts at 1 and doubles to the largest float


@dataclass(frozen=True)
class CountLaw:
    """A law on 0, 1, …, highest. All functions take its parameters; below and above a count first.

    cumulants: the first five. ratios: P(0), and growth and rise in P(k + 1)/P(k) = growth + rise/(k + 1) (Panjer 1981).
    below: P(K ≤ k); above: P(K > k).
    """

    cumulants: Callable[[Parameters], tuple[Array, Array, Array, Array, Array]]
    ratios: Callable[[Parameters], tuple[Array, Array, Array]]
    below: Callable[[Array, Parameters], Array]
    above: Callable[[Array, Parameters], Array]
    highest: Callable[[Parameters], Array]


def _poisson_above(k: Array, parameters: Parameters) -> Array:
    value: Array = special.gammainc(k + 1, parameters[0])
    return value


def _poisson_below(k: Array, parameters: Parameters) -> Array:
    value: Array = special.gammaincc(k + 1, parameters[0])
    return value


def _binomial_cumulants(parameters: Parameters) -> tuple[Array, Array, Array, Array, Array]:
    n, p = parameters
    pq = p * (1 - p)
    variance, skew = n * pq, 1 - 2 * p
    return n * p, variance, variance * skew, variance * (1 - 6 * pq), variance * skew * (1 - 12 * pq)


def _binomial_ratios(parameters: Parameters) -> tuple[Array, Array, Array]:
    n, p = parameters
    odds = p / (1 - p)
    return np.exp(n * np.log1p(-p)), -odds, (n + 1) * odds


def _binomial_below(k: Array, parameters: Parameters) -> Array:
    n, p = parameters
    value: Array = special.betaincc(k + 1, np.maximum(n - k, 0.5), p)
    return np.where(k >= n, 1.0, value)


def _binomial_above(k: Array, parameters: Parameters) -> Array:
    n, p = parameters
    value: Array = special.betainc(k + 1, np.maximum(n - k, 0.5), p)
    return np.where(k >= n, 0.0, value)


def _negative_binomial_cumulants(parameters: Parameters) -> tuple[Array, Array, Array, Array, Array]:
    mean, dispersion = parameters
    p, q = dispersion / (dispersion + mean), mean / (dispersion + mean)
    variance = mean / p
    third, fourth = (1 + q) / p, (1 + 4 * q + q * q) / p**2
    return mean, variance, variance * third, variance * fourth, variance * (1 + 11 * q + 11 * q * q + q**3) / p**3


def _negative_binomial_ratios(parameters: Parameters) -> tuple[Array, Array, Array]:
    mean, dispersion = parameters
    q = mean / (dispersion + mean)
    return np.exp(-dispersion * np.log1p(mean / dispersion)), q, (dispersion - 1) * q


def _negative_binomial_below(k: Array, parameters: Parameters) -> Array:
    mean, dispersion = parameters
    value: Array = special.betaincc(k + 1, dispersion, mean / (dispersion + mean))
    return value


def _negative_binomial_above(k: Array, parameters: Parameters) -> Array:
    mean, dispersion = parameters
    value: Array = special.betainc(k + 1, dispersion, mean / (dispersion + mean))
    return value


def _unbounded(parameters: Parameters) -> Array:
    return np.full_like(parameters[0], np.inf)


POISSON = CountLaw(
    cumulants=lambda a: (a[0], a[0], a[0], a[0], a[0]),
    ratios=lambda a: (np.exp(-a[0]), np.zeros_like(a[0]), a[0]),
    below=_poisson_below,
    above=_poisson_above,
    highest=_unbounded,
)
BINOMIAL = CountLaw(_binomial_cumulants, _binomial_ratios, _binomial_below, _binomial_above, lambda a: a[0])
NEGATIVE_BINOMIAL = CountLaw(
    _negative_binomial_cumulants,
    _negative_binomial_ratios,
    _negative_binomial_below,
    _negative_binomial_above,
    _unbounded,
)


def quantile(law: CountLaw, parameters: tuple[Tensor, ...], p: Tensor, q: Tensor | None = None) -> Tensor:
    """The smallest k with P(K ≤ k) ≥ p; ``q`` is 1 − p where that is known more accurately.

    Parameters for which the law does not exist give some number or NaN.
    """
    tensors = (p, 1 - p if q is None else q, *parameters)
    arrays = np.broadcast_arrays(*(x.detach().cpu().numpy() for x in tensors))
    flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
    k = np.empty_like(flat[0])
    with np.errstate(all="ignore"):
        for start in range(0, len(k), _CHUNK):
            low, high, *rest = (array[start : start + _CHUNK] for array in flat)
            k[start : start + _CHUNK] = _quantile(law, tuple(rest), low, high)
    return torch.from_numpy(k.reshape(arrays[0].shape)).to(p.device)


def binomial_quantile(n: Tensor, share: Tensor, p: Tensor) -> Tensor:
    """``quantile`` of the binomial law, counting failures where successes are the more frequent."""
    flipped = share > 0.5
    q = 1 - p
    rarer = torch.where(flipped, 1 - share, share)
    k = quantile(BINOMIAL, (n, rarer), torch.where(flipped, q, p), torch.where(flipped, p, q))
    return torch.where(flipped, n - k, k)


def _quantile(law: CountLaw, parameters: Parameters, p: Array, q: Array) -> Array:
    cumulants = law.cumulants(parameters)
    mean, variance = cumulants[:2]
    k = mean.copy()  # where nothing varies
    varies = (variance > 0) & np.isfinite(variance)
    few = varies & (mean <= _FEW) & (p > _RARE) & (q > _RARE)
    unsure = np.zeros_like(few)
    for rows, method in ((np.flatnonzero(few), _count), (np.flatnonzero(varies & ~few), _expand)):
        if len(rows) > 0:
            chosen = tuple(parameter[rows] for parameter in parameters)
            k[rows], unsure[rows] = method(law, chosen, p[rows], q[rows])
    rows = np.flatnonzero(unsure)
    if len(rows) > 0:
        k[rows] = _search(law, tuple(parameter[rows] for parameter in parameters), p[rows], q[rows], start=k[rows])
    return k


def _count(law: CountLaw, parameters: Parameters, p: Array, q: Array) -> tuple[Array, NDArray[np.bool_]]:
    """k by adding up probabilities from 0; and where that takes too long."""
    del q
    term, growth, rise = law.ratios(parameters)
    below, k, rows = term, np.zeros_like(p), np.arange(len(p))
    for step in range(1, _LONGEST):
        left = np.flatnonzero(below < p)
        if len(left) == 0:
            return k, np.zeros(len(k), dtype=bool)
        rows, p, growth, rise = rows[left], p[left], growth[left], rise[left]
        term = term[left] * (growth + rise / step)
        below = below[left] + term
        k[rows] = step
    unsure = np.zeros(len(k), dtype=bool)
    unsure[rows] = True
    return k, unsure


def _expand(law: CountLaw, parameters: Parameters, p: Array, q: Array) -> tuple[Array, NDArray[np.bool_]]:
    """k by the expansion, settled by P where it is near a whole number; and where its error may exceed one half."""
    w = np.copysign(special.ndtri(np.minimum(p, q)), p - q)
    value, error = _cornish_fisher(w, law.cumulants(parameters))
    highest = law.highest(parameters)
    k = np.clip(np.floor(value), 0, highest)
    nearest = np.clip(np.round(value), 1, np.maximum(highest, 1))
    unsure = ~(error < 0.4)
    close = np.flatnonzero(~unsure & (np.abs(value - nearest) < error))
    if len(close) > 0:
        candidate = nearest[close] - 1
        chosen = tuple(parameter[close] for parameter in parameters)
        k[close] = candidate + ~_enough(law, candidate, chosen, p[close], q[close])
    return np.where(unsure, np.clip(np.nan_to_num(k, nan=0.0), 0, highest), k), unsure


def _cornish_fisher(w: Array, cumulants: tuple[Array, Array, Array, Array, Array]) -> tuple[Array, Array]:
    """A continuous quantile at normal quantile w whose floor is k, and a bound on its error.

    Third order in the cumulants (Hill & Davis 1968), with Sheppard's corrections for the lattice. The bound's form is
    that of the fourth order; its constants are five times what is seen over the three laws.
    """
    mean, variance, third, fourth, fifth = cumulants
    sheppard = np.maximum(variance - 1 / 12, 1e-3)
    sd = np.sqrt(sheppard)
    g1, g2, g3 = third / (sheppard * sd), (fourth + 1 / 120) / sheppard**2, fifth / (sheppard**2 * sd)
    w2 = w * w
    first = g1 * (w2 - 1) / 6
    second = w * (g2 * (w2 - 3) / 24 - g1 * g1 * (2 * w2 - 5) / 36)
    w4_terms = g3 * ((w2 - 6) * w2 + 3) / 120 - g1 * g2 * ((w2 - 5) * w2 + 2) / 24
    last = w4_terms + g1**3 * ((12 * w2 - 53) * w2 + 17) / 324
    lattice = 0.03 / (sheppard * sd)
    skewed = 1e-3 * sd * np.maximum(g1 * g1, np.abs(g2)) ** 2
    error = (lattice + skewed) * (1 + 0.25 * w2 * w2 * np.abs(w)) + 1e-15 * mean
    return mean + 0.5 + sd * (w + first + second + last), error


def _enough(law: CountLaw, k: Array, parameters: Parameters, p: Array, q: Array) -> NDArray[np.bool_]:
    """Whether P(K ≤ k) ≥ p, judged in the nearer tail."""
    result = np.empty(len(k), dtype=bool)
    for rows, left in ((np.flatnonzero(p < q), True), (np.flatnonzero(~(p < q)), False)):
        chosen = tuple(parameter[rows] for parameter in parameters)
        result[rows] = law.below(k[rows], chosen) >= p[rows] if left else law.above(k[rows], chosen) <= q[rows]
    return result


def _search(law: CountLaw, parameters: Parameters, p: Array, q: Array, *, start: Array) -> Array:
    """k by bracketing in doubling steps from a start, then by halving."""
    rows, result = np.arange(len(p)), start.copy()
    low, high = np.full(len(p), -1.0), law.highest(parameters)  # P(K ≤ low) < p ≤ P(K ≤ high)
    k, step = start, np.ones(len(p))
    for _ in range(_SEARCHES):
        enough = _enough(law, k, parameters, p, q)
        low, high = np.where(enough, low, np.maximum(low, k)), np.where(enough, np.minimum(high, k), high)
        middle = np.floor((low + high) / 2)
        k = np.where(enough, np.maximum(k - step, middle), np.minimum(k + step, middle))
        result[rows] = high
        left = np.flatnonzero((high - low > 1) & (k > low) & (k < high))
        if len(left) == 0:
            break
        rows, p, q, parameters = rows[left], p[left], q[left], tuple(parameter[left] for parameter in parameters)
        low, high, k, step = low[left], high[left], k[left], 2 * step[left]
    return result
