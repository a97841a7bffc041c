"""Distribution functions that priors, truncation, outcomes and censoring share. Elementwise, float64.

A tail is log P(X ≤ x) or log P(X ≥ x), nats. Where an incomplete gamma or beta function would underflow, its series or
continued fraction is taken in the logarithm, so that a tail of −10,000 nats is still a number. These functions are
scipy's, which has no gradients: theirs are central differences.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

Array = NDArray[np.float64]
Arguments = tuple[Tensor, ...]
Tail = Callable[[Tensor, Arguments], Tensor]

LOG_2 = math.log(2.0)
LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_SMALL = 1e-280  # below this an incomplete function is taken in the logarithm
_TERMS = 60
_LARGE = 1e5
_MANY = 1e7  # degrees of freedom from which Student's t is normal after Wallace's transform, to 1e-13
_STEP = 1e-5


@dataclass(frozen=True)
class Tails:
    """Both tails of a law: below(x, arguments) = log P(X ≤ x), above(x, arguments) = log P(X ≥ x)."""

    below: Tail
    above: Tail


class _Scipy(torch.autograd.Function):
    """A numpy function of tensors; its derivatives are central differences, to a relative 1e-9 or so."""

    @staticmethod
    def forward(ctx: Any, law: Callable[..., Array], *arguments: Tensor) -> Tensor:
        ctx.law = law
        ctx.save_for_backward(*arguments)
        return _evaluate(law, *arguments)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        arguments = ctx.saved_tensors
        gradients: list[Tensor | None] = [None]
        for index, argument in enumerate(arguments):
            if not ctx.needs_input_grad[index + 1]:
                gradients.append(None)
                continue
            step = _STEP * argument.abs().clamp_min(_STEP)
            ends = [
                _evaluate(ctx.law, *arguments[:index], argument + way * step, *arguments[index + 1 :])
                for way in (1, -1)
            ]
            gradients.append((slopes[0] * (ends[0] - ends[1]) / (2 * step)).sum_to_size(argument.shape))
        return tuple(gradients)


def _evaluate(law: Callable[..., Array], *arguments: Tensor) -> Tensor:
    arrays = np.broadcast_arrays(*(argument.detach().cpu().numpy() for argument in arguments))
    with np.errstate(all="ignore"):
        return torch.from_numpy(np.asarray(law(*arrays))).to(arguments[0].device)


def _tail(law: Callable[..., Array], *arguments: Tensor) -> Tensor:
    result: Tensor = _Scipy.apply(law, *arguments)
    return result


# ---- log gamma and beta functions


def lgamma_rest(x: Tensor) -> Tensor:
    """lgamma(x) − (x log x − x), from Stirling's series where the difference would cancel."""
    series = LOG_ROOT_2PI - 0.5 * x.log() + (1 - (1 / 30) / x.square()) / (12 * x)
    return torch.where(x > 100, series, torch.lgamma(x) - torch.xlogy(x, x) + x)


def studentt_log_density(z: Tensor, df: Tensor) -> Tensor:
    """Log density of the standard Student t with ``df`` degrees of freedom.

    Where df is large, the difference of the two lgamma cancels; its asymptotic series is right to 1e-10 there.
    """
    constant = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - 0.5 * (df * math.pi).log()
    series = -LOG_ROOT_2PI - 1 / (4 * df)
    return torch.where(df > 1000, series, constant) - (df + 1) / 2 * torch.log1p(z.square() / df)


# ---- gamma, and Poisson through it


def _gamma_large(x: Array, shape: Array) -> tuple[Array, Array]:
    """Both log tails of Gamma(shape, 1) at a large shape, where scipy's lose up to nats: Temme's uniform expansion
    (DLMF 8.12.3, first term; the next is 1/shape smaller)."""
    m = x / shape - 1
    near = np.abs(m) < 1e-3
    c = np.where(near, m, 0.0)
    half_square = np.where(near, c * c * (0.5 - c * (1 / 3 - c * (0.25 - c * (0.2 - c / 6)))), m - np.log1p(m))
    eta = np.copysign(np.sqrt(2 * half_square), m)
    first = np.where(np.abs(eta) < 0.02, -1 / 3 + eta * (1 / 12 - eta * (2 / 135 - eta / 864)), 1 / m - 1 / eta)
    s, first = eta * np.sqrt(shape), first / np.sqrt(shape)
    below, above = special.log_ndtr(s), special.log_ndtr(-s)
    density = -shape * half_square - LOG_ROOT_2PI
    return (
        below + np.log1p(-first * np.exp(density - below)),
        above + np.log1p(first * np.exp(density - above)),
    )


def _gamma_below(x: Array, shape: Array) -> Array:
    """log P(X ≤ x), X ~ Gamma(shape, 1). Far out: x^a e^(−x) / Γ(a + 1) · Σ_n x^n / ((a + 1)…(a + n))."""
    x = np.maximum(x, 0.0)
    p = special.gammainc(shape, x)
    last = shape + _TERMS + 1
    series = 1 / (1 - np.minimum(x / last, 0.999999))
    for n in range(_TERMS, 0, -1):
        series = 1 + x / (shape + n) * series
    far = special.xlogy(shape, x) - x - special.gammaln(shape + 1) + np.log(series)
    result = np.where((p < _SMALL) & (x > 0), far, np.log(p))
    return np.where((shape > _LARGE) & (x > 0), _gamma_large(x, shape)[0], result)


def _gamma_above(x: Array, shape: Array) -> Array:
    """log P(X ≥ x), X ~ Gamma(shape, 1). Far out: Legendre's continued fraction (Abramowitz & Stegun 6.5.31)."""
    x = np.maximum(x, 0.0)
    q = special.gammaincc(shape, x)
    fraction = x + 2 * _TERMS + 1 - shape
    for n in range(_TERMS, 0, -1):
        fraction = x + 2 * n - 1 - shape - n * (n - shape) / fraction
    far = special.xlogy(shape, x) - x - special.gammaln(shape) - np.log(fraction)
    result = np.where((q < _SMALL) & (x < np.inf), far, np.log(q))
    return np.where((shape > _LARGE) & (x < np.inf), _gamma_large(x, shape)[1], result)


def gamma_below(x: Tensor, shape: Tensor) -> Tensor:
    """log P(X ≤ x), X ~ Gamma(shape, 1)."""
    return _tail(_gamma_below, x, shape)


def gamma_above(x: Tensor, shape: Tensor) -> Tensor:
    """log P(X ≥ x), X ~ Gamma(shape, 1)."""
    return _tail(_gamma_above, x, shape)


def poisson_below(k: Tensor, rate: Tensor) -> Tensor:
    """log P(K ≤ k), K ~ Poisson(rate): P(K ≤ k) = P(Gamma(k + 1) ≥ rate)."""
    k = k.floor()
    return torch.where(k < 0, -torch.inf, gamma_above(rate, k.clamp_min(0.0) + 1))


def poisson_above(k: Tensor, rate: Tensor) -> Tensor:
    """log P(K ≥ k), K ~ Poisson(rate)."""
    k = k.ceil()
    return torch.where(k <= 0, 0.0, gamma_below(rate, k.clamp_min(1.0)))


# ---- beta, and Student's t, binomial and negative binomial through it


def _beta_below(x: Array, rest: Array, a: Array, b: Array) -> Array:
    """log P(X ≤ x), X ~ Beta(a, b), given also rest = 1 − x, which may be the more accurate.

    Far out: x^a rest^b / (a B(a, b)) · Σ_n x^n (a + b)…(a + b + n − 1) / ((a + 1)…(a + n)) (A. & S. 26.5.4).
    """
    x, rest, a, b = np.broadcast_arrays(x, rest, a, b)
    near = x < 0.5
    p = np.empty(x.shape)
    special.betainc(a, b, x, out=p, where=near)
    special.betaincc(b, a, rest, out=p, where=~near)
    small = p < _SMALL
    if not small.any():
        return np.log(p)
    ratio = x * (a + b + _TERMS) / (a + 1 + _TERMS)
    series = 1 / (1 - np.minimum(ratio, 0.999999))
    for n in range(_TERMS, 0, -1):
        series = 1 + x * (a + b + n - 1) / (a + n) * series
    far = special.xlogy(a, x) + special.xlogy(b, rest) - np.log(a) - special.betaln(a, b) + np.log(series)
    return np.where(small & (x > 0), far, np.log(p))


def beta_below(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """log P(X ≤ x), X ~ Beta(a, b)."""
    return _tail(lambda x, a, b: _beta_below(np.clip(x, 0, 1), np.clip(1 - x, 0, 1), a, b), x, a, b)


def beta_above(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """log P(X ≥ x), X ~ Beta(a, b)."""
    return _tail(lambda x, a, b: _beta_below(np.clip(1 - x, 0, 1), np.clip(x, 0, 1), b, a), x, a, b)


def beta_logit_below(z: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """log P(logit X ≤ z), X ~ Beta(a, b); by symmetry log P(logit X ≥ z) is this of −z, b, a."""
    return _tail(lambda z, a, b: _beta_below(special.expit(z), special.expit(-z), a, b), z, a, b)


def _studentt_below(z: Array, df: Array) -> Array:
    """log P(T ≤ z): P(T ≥ |z|) = ½ P(Beta(df/2, ½) ≤ df / (df + z²)); for large df Wallace 1959, Ann. Math. Stat."""
    square = (z / np.sqrt(df)) ** 2
    beyond = _beta_below(1 / (1 + square), 1 / (1 + 1 / square), np.minimum(df, _MANY) / 2, np.asarray(0.5)) - LOG_2
    t = np.where(z < 0, beyond, np.log1p(-np.exp(beyond)))
    wallace = np.sign(z) * (8 * df + 1) / (8 * df + 3) * np.sqrt(df * np.log1p(square))
    return np.where(df < _MANY, t, special.log_ndtr(wallace))


def studentt_below(z: Tensor, df: Tensor) -> Tensor:
    """log P(T ≤ z) of the standard Student t; log P(T ≥ z) is this of −z."""
    return _tail(_studentt_below, z, df)


def _at_most(k: Array, n: Array, p: Array, q: Array) -> Array:
    """log P(K ≤ k) for probabilities p and q = 1 − p, whichever of them is small."""
    inner = np.clip(k, 0, np.maximum(n - 1, 0))
    tail = _beta_below(q, p, np.maximum(n - inner, 1), inner + 1)
    return np.where(k < 0, -np.inf, np.where(k >= n, 0.0, tail))


def _binomial_below(k: Array, n: Array, p: Array) -> Array:
    return _at_most(k, n, p, 1 - p)


def _binomial_above(k: Array, n: Array, p: Array) -> Array:
    return _at_most(n - k, n, 1 - p, p)


def binomial_below(k: Tensor, n: Tensor, p: Tensor) -> Tensor:
    """log P(K ≤ k), K ~ Binomial(n, p)."""
    return _tail(_binomial_below, k.floor(), n, p)


def binomial_above(k: Tensor, n: Tensor, p: Tensor) -> Tensor:
    """log P(K ≥ k), K ~ Binomial(n, p)."""
    return _tail(_binomial_above, k.ceil(), n, p)


def _negative_binomial_below(k: Array, mean: Array, dispersion: Array) -> Array:
    p, q = dispersion / (dispersion + mean), mean / (dispersion + mean)
    return np.where(k < 0, -np.inf, _beta_below(p, q, dispersion, np.maximum(k, 0) + 1))


def _negative_binomial_above(k: Array, mean: Array, dispersion: Array) -> Array:
    p, q = dispersion / (dispersion + mean), mean / (dispersion + mean)
    return np.where(k <= 0, 0.0, _beta_below(q, p, np.maximum(k, 1), dispersion))


def negative_binomial_below(k: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    """log P(K ≤ k), K negative binomial with variance mean + mean²/dispersion."""
    return _tail(_negative_binomial_below, k.floor(), mean, dispersion)


def negative_binomial_above(k: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    """log P(K ≥ k), K negative binomial with variance mean + mean²/dispersion."""
    return _tail(_negative_binomial_above, k.ceil(), mean, dispersion)


# ---- quantiles


def gamma_quantile(u: Tensor, shape: Tensor) -> Tensor:
    """The x with P(X ≤ x) = u, X ~ Gamma(shape, 1); no gradient. For a tiny shape x may underflow to 0."""
    return _evaluate(special.gammaincinv, shape, u)


def beta_quantile(u: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The x with P(X ≤ x) = u, X ~ Beta(a, b); no gradient."""
    return _evaluate(_beta_quantile, u, a, b)


def _beta_quantile(u: Array, a: Array, b: Array) -> Array:
    """scipy's, and where u is too small for it the leading term of P(X ≤ x) = x^a / (a B(a, b)) · (1 + O(x))."""
    x = special.betaincinv(a, b, u)
    leading = np.exp((np.log(u) + np.log(a) + special.betaln(a, b)) / a)
    return np.where(np.isnan(x), np.minimum(leading, 1.0), x)


# ---- between two points


@dataclass(frozen=True)
class End:
    """Both tails at a point: log P(X ≤ x) and log P(X ≥ x)."""

    below: Tensor
    above: Tensor


def log_between(low: End, high: End, narrow: Tensor) -> Tensor:
    """log P(low < X < high), nats, of a continuous law, from the pair of tails that cancels less.

    narrow: the same by density times width, taken where the two tails agree to 1e-5.
    """
    right = low.above < high.below  # most of what is left out lies below
    larger = torch.where(right, low.above, high.below)
    difference = torch.where(right, high.above, low.below) - larger
    apart = larger + torch.log(-torch.expm1(difference.clamp_max(-1e-300)))
    return torch.where(difference > -1e-5, narrow, apart)
