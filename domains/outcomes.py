"""Outcome families: log density, sampling by uniform draws, and mean. Elementwise, float64.

Sampling is a function of two uniform draws per outcome, so that the noise a run meets does not depend on what was
designed: the same stream serves every policy (common random numbers). Arguments come in the family's declared order.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from domains.priors import studentt_log_density

Arguments = tuple[Tensor, ...]

_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_SLACK = 1e-6  # a probability outside [0, 1] by at most this is clipped


@dataclass(frozen=True)
class OutcomeFamily:
    """One family.

    arguments: their names, in order. log_density(y, arguments): nats; its value where ``valid`` is false is ignored.
    sample(arguments, uniforms [..., 2]) → y [...]. mean(arguments): E[y].
    """

    arguments: tuple[str, ...]
    log_density: Callable[[Tensor, Arguments], Tensor]
    sample: Callable[[Arguments, Tensor], Tensor]
    mean: Callable[[Arguments], Tensor]
    valid: Callable[[Arguments], Tensor]


def inside(uniforms: Tensor) -> Tensor:
    """Uniform draws kept off 0 and 1, where a quantile may be infinite."""
    return uniforms.clamp(2.0**-54, 1 - 2.0**-53)


def _normal_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    mean, sd = arguments
    return -0.5 * ((y - mean) / sd).square() - sd.log() - _LOG_ROOT_2PI


def _normal_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    mean, sd = arguments
    return mean + sd * torch.special.ndtri(uniforms[..., 0])


def _lognormal_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    log_y = y.log()
    density = _normal_log_density(log_y, arguments) - log_y
    return torch.where(y > 0, density, -torch.inf)


def _studentt_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    df, mean, scale = arguments
    return studentt_log_density((y - mean) / scale, df) - scale.log()


def _studentt_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    """Bailey 1994, Math. Comp. 62, 779: the polar method for Student's t."""
    df, mean, scale = arguments
    radius = (df * torch.expm1(-2.0 / df * uniforms[..., 0].log())).sqrt()
    return mean + scale * radius * torch.cos(2.0 * math.pi * uniforms[..., 1])


def _studentt_mean(arguments: Arguments) -> Tensor:
    return torch.where(arguments[0] > 1, arguments[1], torch.nan)


def _probability(p: Tensor) -> Tensor:
    return p.clamp(0.0, 1.0)


def _bernoulli_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    p = _probability(arguments[0])
    return torch.where(y == 1, p.log(), torch.where(y == 0, torch.log1p(-p), -torch.inf))


def _binomial_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    n, p = arguments
    p = _probability(p)
    choose = torch.lgamma(n + 1) - torch.lgamma(y + 1) - torch.lgamma(n - y + 1)
    density = choose + torch.xlogy(y, p) + torch.special.xlog1py(n - y, -p)
    return torch.where((y >= 0) & (y <= n) & (y == y.floor()), density, -torch.inf)


def _poisson_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    (rate,) = arguments
    density = torch.xlogy(y, rate) - rate - torch.lgamma(y + 1)
    return torch.where((y >= 0) & (y == y.floor()), density, -torch.inf)


def _binomial_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    """The smallest k with P(X ≤ k) ≥ u, from the terms within 12 standard deviations and 40 of the mean.

    Divided by their sum, the terms add up to 1 exactly, so that no u < 1 lies above all of them.
    """
    n, p = torch.broadcast_tensors(*arguments)
    n, p = torch.where(n.isfinite(), n, 0.0).clamp_min(0.0), _probability(p.nan_to_num())  # where invalid, never used
    reach = 12.0 * (n * p * (1.0 - p)).sqrt() + 40.0
    lowest = (n * p - reach).floor().clamp_min(0.0)
    width = int(torch.minimum(n, 2.0 * reach + 1.0).max().item()) + 1 if n.numel() else 1
    support = lowest[..., None] + torch.arange(width, dtype=torch.float64)
    below = _binomial_log_density(support, (n[..., None], p[..., None])).exp().cumsum(-1)
    return lowest + (below < uniforms[..., :1] * below[..., -1:]).sum(-1)


def _poisson_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    """The smallest k with P(X ≤ k) ≥ u, by bisection on P(X ≤ k) = Q(k + 1, rate)."""
    rate = arguments[0].broadcast_to(torch.broadcast_shapes(arguments[0].shape, uniforms.shape[:-1]))
    u = uniforms[..., 0]
    low = torch.full_like(rate, -1.0)
    high = (rate + 12.0 * rate.sqrt() + 40.0).floor()
    for _ in range(64):
        middle = ((low + high) / 2).floor()
        enough = torch.special.gammaincc(middle + 1.0, rate) >= u
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
        if bool((high - low <= 1).all()):
            break
    return high


def _in_unit(p: Tensor) -> Tensor:
    return (p >= -_SLACK) & (p <= 1 + _SLACK)


FAMILIES: dict[str, OutcomeFamily] = {
    "normal": OutcomeFamily(
        ("mean", "sd"),
        _normal_log_density,
        _normal_sample,
        lambda a: a[0],
        lambda a: a[0].isfinite() & (a[1] > 0) & a[1].isfinite(),
    ),
    "lognormal": OutcomeFamily(
        ("mu", "sigma"),
        _lognormal_log_density,
        lambda a, u: _normal_sample(a, u).exp(),
        lambda a: (a[0] + 0.5 * a[1].square()).exp(),
        lambda a: a[0].isfinite() & (a[1] > 0) & a[1].isfinite(),
    ),
    "studentt": OutcomeFamily(
        ("df", "mean", "scale"),
        _studentt_log_density,
        _studentt_sample,
        _studentt_mean,
        lambda a: (a[0] > 0) & a[0].isfinite() & a[1].isfinite() & (a[2] > 0) & a[2].isfinite(),
    ),
    "bernoulli": OutcomeFamily(
        ("p",),
        _bernoulli_log_density,
        lambda a, u: (u[..., 0] < _probability(a[0])).to(torch.float64),
        lambda a: _probability(a[0]),
        lambda a: _in_unit(a[0]),
    ),
    "binomial": OutcomeFamily(
        ("n", "p"),
        _binomial_log_density,
        _binomial_sample,
        lambda a: a[0] * _probability(a[1]),
        lambda a: (a[0] >= 0) & (a[0] == a[0].floor()) & a[0].isfinite() & _in_unit(a[1]),
    ),
    "poisson": OutcomeFamily(
        ("rate",),
        _poisson_log_density,
        _poisson_sample,
        lambda a: a[0],
        lambda a: (a[0] >= 0) & a[0].isfinite(),
    ),
}
