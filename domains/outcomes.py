"""Outcome families: log density, tails, sampling by uniform draws, and mean. Elementwise, float64.

Sampling is a function of two uniform draws per outcome, so that the noise a run meets does not depend on what was
designed: the same stream serves every policy (common random numbers). Arguments come in the family's declared order.

Log densities have gradients in all arguments; draws have them where the law is a transform of its uniforms (normal,
lognormal, studentt, exponential, logitnormal), not where the quantile is searched for or is scipy's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.special import log_ndtr

from domains import counts, distributions
from domains.distributions import LOG_ROOT_2PI, Arguments, Tails, lgamma_rest, studentt_log_density

_TINY = 1e-300
_NEVER = -300.0  # log of a probability that might as well be 0
_SLACK = 1e-6  # a probability outside [0, 1] by at most this is clipped


@dataclass(frozen=True)
class OutcomeFamily:
    """One family.

    arguments: their names, in order. log_density(y, arguments): nats; its value where ``valid`` is false is ignored.
    sample(arguments, uniforms [..., 2]) → y [...]. mean(arguments): E[y]. tails: None where an outcome cannot be
    censored. options(arguments): how many outcomes there can be, 0 … options − 1, or None if they are not few; itself
    None where they never are. normal_scale(y): where the outcome is a transform of a normal one, that transform back.
    linear(arguments [..., hypotheses]) → slope, offset: where log p(y | arguments) = slope·y + offset + h(y), with an h
    that all hypotheses share, else None; base(y, arguments): that h, where outcomes can be listed. bounds: of a
    censored outcome.
    """

    arguments: tuple[str, ...]
    log_density: Callable[[Tensor, Arguments], Tensor]
    sample: Callable[[Arguments, Tensor], Tensor]
    mean: Callable[[Arguments], Tensor]
    valid: Callable[[Arguments], Tensor]
    tails: Tails | None = None
    options: Callable[[Arguments], int | None] | None = None
    normal_scale: Callable[[Tensor], Tensor] | None = None
    linear: Callable[[Arguments], tuple[Tensor, Tensor] | None] | None = None
    base: Callable[[Tensor, Arguments], Tensor] | None = None
    bounds: tuple[float | None, float | None] | None = None


def inside(uniforms: Tensor) -> Tensor:
    """Uniform draws kept off 0 and 1, where a quantile may be infinite."""
    return uniforms.clamp(2.0**-54, 1 - 2.0**-53)


def _normal_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    mean, sd = arguments
    return -0.5 * ((y - mean) / sd).square() - sd.log() - LOG_ROOT_2PI


def _normal_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    mean, sd = arguments
    return mean + sd * torch.special.ndtri(uniforms[..., 0])


def _lognormal_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    log_y = torch.where(y > 0, y, 1.0).log()
    return torch.where(y > 0, _normal_log_density(log_y, arguments) - log_y, -torch.inf)


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


def _times(count: Tensor, log_share: Tensor) -> Tensor:
    """count · log(share), 0 where the count is 0. As ``torch.xlogy``, but the logarithm is taken before broadcasting:
    a table of outcomes × hypotheses takes one a hypothesis."""
    return torch.where(count == 0, 0.0, count * log_share)


def _log(share: Tensor) -> Tensor:
    """log(share), -inf at 0 without an infinite gradient there."""
    return torch.where(share > 0, torch.where(share > 0, share, 1.0).log(), -torch.inf)


def _log_rest(share: Tensor) -> Tensor:
    """log(1 − share), likewise at 1."""
    return torch.where(share < 1, torch.log1p(-torch.where(share < 1, share, 0.0)), -torch.inf)


def _bernoulli_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    p = _probability(arguments[0])
    return torch.where(y == 1, p.log(), torch.where(y == 0, torch.log1p(-p), -torch.inf))


def _binomial_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    n, p = arguments
    p = _probability(p)
    hits, misses = y.clamp_min(0.0), (n - y).clamp_min(0.0)
    return _log_choose(y, n) + _times(hits, _log(p)) + _times(misses, _log_rest(p))


def _log_choose(y: Tensor, n: Tensor) -> Tensor:
    """log C(n, y), -inf where y is none of 0 … n."""
    choose = torch.lgamma(n + 1) - torch.lgamma(y + 1) - torch.lgamma(n - y + 1)
    return torch.where((y >= 0) & (y <= n) & (y == y.floor()), choose, -torch.inf)


def _trials(arguments: Arguments) -> int | None:
    """How many outcomes a binomial one can have, 0 … n."""
    most = arguments[0].nan_to_num(nan=0.0).amax().item()
    return int(most) + 1 if most < 2**31 else None


def _binomial_linear(arguments: Arguments) -> tuple[Tensor, Tensor] | None:
    """Where all hypotheses have the same n; else C(n, y) depends on y and the hypothesis together."""
    n, p = arguments
    if n.dim() > 0 and not bool((n == n[..., :1]).all()):
        return None
    share, rest = _log(_probability(p)).clamp_min(_NEVER), _log_rest(_probability(p)).clamp_min(_NEVER)
    return share - rest, n * rest


def _poisson_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    (rate,) = arguments
    density = _times(y, _log(rate)) - rate - torch.lgamma(y + 1)
    return torch.where((y >= 0) & (y == y.floor()), density, -torch.inf)


def _negative_binomial_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    """log Γ(y + r)/(Γ(r) y!) · (r/(r + m))^r · (m/(r + m))^y, written so that it tends to the Poisson law in r."""
    mean, r = arguments
    k = y.clamp_min(0.0)
    whole = (r + k) * (torch.log1p(k / r) - torch.log1p(mean / r)) - k
    rest = lgamma_rest(r + k) - lgamma_rest(r) - torch.lgamma(k + 1)
    return torch.where((y >= 0) & (y == y.floor()), whole + rest + _times(k, _log(mean)), -torch.inf)


def _shares(arguments: Arguments) -> list[Tensor]:
    """The probabilities of a categorical outcome, clipped and divided by their sum."""
    clipped = [_probability(p) for p in arguments]
    total = torch.stack(torch.broadcast_tensors(*clipped)).sum(0)
    return [p / total for p in clipped]


def _categorical_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    density = torch.full_like(y, -torch.inf)
    for index, share in enumerate(_shares(arguments)):
        density = torch.where(y == index, share.log(), density)
    return density


def _categorical_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    """The smallest index with cumulative probability > u; an impossible last option is never drawn."""
    u = uniforms[..., 0]
    index, below = torch.zeros_like(u), torch.zeros_like(u)
    shares = _shares(arguments)
    for option, share in enumerate(shares):
        here = (share > 0) & (u >= below)
        index = torch.where(here, float(option), index)
        below = below + share
    return index


def _categorical_mean(arguments: Arguments) -> Tensor:
    """The expected index Σ i p_i."""
    return torch.stack([index * share for index, share in enumerate(_shares(arguments))]).sum(0)


def _categorical_valid(arguments: Arguments) -> Tensor:
    entries = torch.stack(torch.broadcast_tensors(*arguments))
    return _in_unit(entries).all(0) & ((entries.sum(0) - 1).abs() <= _SLACK)


def _between(share: Tensor) -> Tensor:
    """Kept off 0 and 1, to which a draw may be rounded and where there is no density."""
    return share.clamp(_TINY, 1 - 2.0**-53)


def _beta_shapes(arguments: Arguments) -> tuple[Tensor, Tensor]:
    mean, concentration = arguments
    return mean * concentration, (1 - mean) * concentration


def _beta_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    mean, concentration = arguments
    a, b = _beta_shapes(arguments)
    possible = (y > 0) & (y < 1)
    x = torch.where(possible, y, 0.5)
    power = a * (x / mean).log() + b * (torch.log1p(-x) - torch.log1p(-mean))
    rest = lgamma_rest(concentration) - lgamma_rest(a) - lgamma_rest(b)
    return torch.where(possible, power + rest - x.log() - torch.log1p(-x), -torch.inf)


def _gamma_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    mean, shape = arguments
    x = torch.where(y > 0, y, 1.0)
    power = shape * ((x / mean).log() - x / mean + 1)
    return torch.where(y > 0, power - lgamma_rest(shape) - x.log(), -torch.inf)


def _gamma_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    mean, shape = arguments
    return (distributions.gamma_quantile(uniforms[..., 0], shape) * mean / shape).clamp_min(_TINY)


def _exponential_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    (rate,) = arguments
    return torch.where(y >= 0, rate.log() - rate * y, -torch.inf)


def _exponential_below(y: Tensor, arguments: Arguments) -> Tensor:
    return torch.log(-torch.expm1(-arguments[0] * y.clamp_min(0.0)))


def _logitnormal_log_density(y: Tensor, arguments: Arguments) -> Tensor:
    possible = (y > 0) & (y < 1)
    x = torch.where(possible, y, 0.5)
    density = _normal_log_density(x.log() - torch.log1p(-x), arguments) - x.log() - torch.log1p(-x)
    return torch.where(possible, density, -torch.inf)


def _logitnormal_sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
    """Not by torch.sigmoid, whose last bits depend on an element's place in the batch."""
    return _between(1 / (1 + (-_normal_sample(arguments, uniforms)).exp()))


def _logitnormal_mean(arguments: Arguments) -> Tensor:
    """E[sigmoid(mean + sd·Z)], by the trapezoidal rule to 1e-12: over Z, or for a large sd over a logistic L, since it
    is also E[Φ((mean − L)/sd)] and so smooth."""
    mean, sd = torch.broadcast_tensors(*arguments)
    narrow, wide = torch.zeros_like(mean), torch.zeros_like(mean)
    for z in range(-34, 35):
        narrow = narrow + math.exp(-0.5 * (z / 4) ** 2) / 4 * torch.sigmoid(mean + sd * z / 4)
    for x in range(-76, 77):
        wide = wide + 0.125 / math.cosh(x / 4) ** 2 * torch.special.ndtr((mean - x / 2) / sd)
    return torch.where(sd < 2, narrow / math.sqrt(2 * math.pi), wide)


def _in_unit(p: Tensor) -> Tensor:
    return (p >= -_SLACK) & (p <= 1 + _SLACK)


def _positive(argument: Tensor) -> Tensor:
    return (argument > 0) & argument.isfinite()


FAMILIES: dict[str, OutcomeFamily] = {
    "normal": OutcomeFamily(
        ("mean", "sd"),
        _normal_log_density,
        _normal_sample,
        lambda a: a[0],
        lambda a: a[0].isfinite() & _positive(a[1]),
        Tails(lambda y, a: log_ndtr((y - a[0]) / a[1]), lambda y, a: log_ndtr((a[0] - y) / a[1])),
        normal_scale=lambda y: y,
    ),
    "lognormal": OutcomeFamily(
        ("mu", "sigma"),
        _lognormal_log_density,
        lambda a, u: _normal_sample(a, u).exp(),
        lambda a: (a[0] + 0.5 * a[1].square()).exp(),
        lambda a: a[0].isfinite() & _positive(a[1]),
        Tails(
            lambda y, a: log_ndtr((y.clamp_min(0.0).log() - a[0]) / a[1]),
            lambda y, a: log_ndtr((a[0] - y.clamp_min(0.0).log()) / a[1]),
        ),
        normal_scale=torch.log,
    ),
    "studentt": OutcomeFamily(
        ("df", "mean", "scale"),
        _studentt_log_density,
        _studentt_sample,
        _studentt_mean,
        lambda a: _positive(a[0]) & a[1].isfinite() & _positive(a[2]),
        Tails(
            lambda y, a: distributions.studentt_below((y - a[1]) / a[2], a[0]),
            lambda y, a: distributions.studentt_below((a[1] - y) / a[2], a[0]),
        ),
    ),
    "bernoulli": OutcomeFamily(
        ("p",),
        _bernoulli_log_density,
        lambda a, u: (u[..., 0] < _probability(a[0])).to(torch.float64),
        lambda a: _probability(a[0]),
        lambda a: _in_unit(a[0]),
        options=lambda _: 2,
    ),
    "binomial": OutcomeFamily(
        ("n", "p"),
        _binomial_log_density,
        lambda a, u: counts.binomial_quantile(a[0], _probability(a[1]), u[..., 0]),
        lambda a: a[0] * _probability(a[1]),
        lambda a: (a[0] >= 0) & (a[0] == a[0].floor()) & a[0].isfinite() & _in_unit(a[1]),
        Tails(
            lambda y, a: distributions.binomial_below(y, a[0], _probability(a[1])),
            lambda y, a: distributions.binomial_above(y, a[0], _probability(a[1])),
        ),
        options=_trials,
        linear=_binomial_linear,
        base=lambda y, a: _log_choose(y, a[0]),
    ),
    "poisson": OutcomeFamily(
        ("rate",),
        _poisson_log_density,
        lambda a, u: counts.quantile(counts.POISSON, a, u[..., 0]),
        lambda a: a[0],
        lambda a: (a[0] >= 0) & a[0].isfinite(),
        Tails(lambda y, a: distributions.poisson_below(y, a[0]), lambda y, a: distributions.poisson_above(y, a[0])),
        linear=lambda a: (_log(a[0]).clamp_min(_NEVER), -a[0]),
    ),
    "negative_binomial": OutcomeFamily(
        ("mean", "dispersion"),
        _negative_binomial_log_density,
        lambda a, u: counts.quantile(counts.NEGATIVE_BINOMIAL, a, u[..., 0]),
        lambda a: a[0],
        lambda a: (a[0] >= 0) & a[0].isfinite() & _positive(a[1]),
        Tails(
            lambda y, a: distributions.negative_binomial_below(y, a[0], a[1]),
            lambda y, a: distributions.negative_binomial_above(y, a[0], a[1]),
        ),
    ),
    "categorical": OutcomeFamily(
        ("p",), _categorical_log_density, _categorical_sample, _categorical_mean, _categorical_valid, options=len
    ),
    "beta": OutcomeFamily(
        ("mean", "concentration"),
        _beta_log_density,
        lambda a, u: _between(distributions.beta_quantile(u[..., 0], *_beta_shapes(a))),
        lambda a: a[0],
        lambda a: (a[0] > 0) & (a[0] < 1) & _positive(a[1]),
        Tails(
            lambda y, a: distributions.beta_below(y, *_beta_shapes(a)),
            lambda y, a: distributions.beta_above(y, *_beta_shapes(a)),
        ),
    ),
    "gamma": OutcomeFamily(
        ("mean", "shape"),
        _gamma_log_density,
        _gamma_sample,
        lambda a: a[0],
        lambda a: _positive(a[0]) & _positive(a[1]),
        Tails(
            lambda y, a: distributions.gamma_below(y * a[1] / a[0], a[1]),
            lambda y, a: distributions.gamma_above(y * a[1] / a[0], a[1]),
        ),
    ),
    "exponential": OutcomeFamily(
        ("rate",),
        _exponential_log_density,
        lambda a, u: -torch.log1p(-u[..., 0]) / a[0],
        lambda a: 1 / a[0],
        lambda a: _positive(a[0]),
        Tails(_exponential_below, lambda y, a: -a[0] * y.clamp_min(0.0)),
        linear=lambda a: (-a[0], a[0].log()),
    ),
    "logitnormal": OutcomeFamily(
        ("mean", "sd"),
        _logitnormal_log_density,
        _logitnormal_sample,
        _logitnormal_mean,
        lambda a: a[0].isfinite() & _positive(a[1]),
        Tails(
            lambda y, a: log_ndtr((y.clamp(0.0, 1.0).logit() - a[0]) / a[1]),
            lambda y, a: log_ndtr((a[0] - y.clamp(0.0, 1.0).logit()) / a[1]),
        ),
        normal_scale=torch.logit,
    ),
}
