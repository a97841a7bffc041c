"""Prior families as transforms of an unconstrained variable z.

A parameter is x = transform(z, arguments), with z on the whole real line, and the prior's density is kept in z:
log p(z) = log p(x) + log |dx/dz|. Arguments that only shift or scale x stay in the transform, so hierarchical priors
are non-centred (Papaspiliopoulos, Roberts & Sköld 2007). All functions are elementwise over broadcast shapes, in
float64. Every transform rises with z.

A parameter that counts or takes one of several numbers is a step function of a standard normal z, the law's quantile at
Φ(z): moves, differences and densities are those of the latent z, and a jump between values is a step in z.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from torch.special import log_ndtr

from domains import counts, randomness
from domains.distributions import (
    LOG_2,
    LOG_ROOT_2PI,
    Arguments,
    Tails,
    beta_logit_below,
    gamma_above,
    gamma_below,
    studentt_below,
    studentt_log_density,
)

_FARTHEST = 37.0  # Φ(−37) is still a positive float
_TINY = 2.0**-54


@dataclass(frozen=True)
class Line:
    """What truncation needs of a continuous family. inverse(x, arguments) → z: −∞ below the support, ∞ above it.

    tails: of z.
    """

    inverse: Callable[[Tensor, Arguments], Tensor]
    tails: Tails


@dataclass(frozen=True)
class PriorFamily:
    """One family. ``sample`` draws z of the given shape; ``valid`` says where the arguments make sense.

    line: None where x is discrete.
    """

    transform: Callable[[Tensor, Arguments], Tensor]
    log_density: Callable[[Tensor, Arguments], Tensor]
    sample: Callable[[torch.Size, Arguments, torch.Generator], Tensor]
    valid: Callable[[Arguments], Tensor]
    line: Line | None = None


def _normal_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    del arguments
    return -0.5 * z.square() - LOG_ROOT_2PI


def _sample_normal(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    del arguments
    return randomness.normal(shape, generator)


def _halfnormal_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    return LOG_2 + _normal_log_density(z.exp(), arguments) + z


def _sample_halfnormal(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    return _sample_normal(shape, arguments, generator).abs().clamp_min(_TINY).log()


def _sample_uniform(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    del arguments
    return randomness.uniform(shape, generator).clamp(_TINY, 1 - _TINY).logit()


def _sample_log_gamma(shape: Tensor, generator: torch.Generator) -> Tensor:
    """log of a standard gamma draw; for small shapes by Gamma(a) = Gamma(a + 1)·U^(1/a), which cannot underflow."""
    boosted = randomness.gamma(shape + 1.0, generator)
    uniform = randomness.uniform(shape.shape, generator).clamp_min(_TINY)
    return boosted.log() + uniform.log() / shape


def _sample_gamma(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    return _sample_log_gamma(arguments[0].expand(shape).contiguous(), generator)


def _sample_beta(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    first, second = (_sample_log_gamma(a.expand(shape).contiguous(), generator) for a in arguments)
    return first - second


def _sample_exponential(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    del arguments
    uniform = randomness.uniform(shape, generator).clamp(_TINY, 1 - _TINY)
    return (-torch.log1p(-uniform)).log()


def _sample_studentt(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    df = arguments[0].expand(shape).contiguous()
    chi_square = 2.0 * randomness.gamma(df / 2.0, generator)
    return randomness.normal(shape, generator) * (df / chi_square).sqrt()


def _sigmoid_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    del arguments
    return logsigmoid(z) + logsigmoid(-z)


def _beta(z: Tensor, arguments: Arguments) -> Tensor:
    del arguments
    return torch.sigmoid(z)


def _exponential_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    del arguments
    return z - z.exp()


def _beta_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    a, b = arguments
    log_beta = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return a * logsigmoid(z) + b * logsigmoid(-z) - log_beta


def _loguniform(z: Tensor, arguments: Arguments) -> Tensor:
    low, high = arguments
    return (low.log() + (high.log() - low.log()) * torch.sigmoid(z)).exp()


def _positive(*which: int) -> Callable[[Arguments], Tensor]:
    def valid(arguments: Arguments) -> Tensor:
        checks = [(arguments[i] > 0) & arguments[i].isfinite() for i in which]
        finite = [argument.isfinite() for argument in arguments]
        result = checks[0]
        for check in [*checks[1:], *finite]:
            result = result & check
        return result

    return valid


def _logarithm(x: Tensor) -> Tensor:
    return x.clamp_min(0.0).log()


def _logit(share: Tensor) -> Tensor:
    return share.clamp(0.0, 1.0).logit()


def _loguniform_inverse(x: Tensor, arguments: Arguments) -> Tensor:
    low, high = arguments
    return _logit((_logarithm(x) - low.log()) / (high.log() - low.log()))


_NORMAL_TAILS = Tails(lambda z, _: log_ndtr(z), lambda z, _: log_ndtr(-z))
_SIGMOID_TAILS = Tails(lambda z, _: logsigmoid(z), lambda z, _: logsigmoid(-z))
_HALFNORMAL_TAILS = Tails(
    lambda z, _: torch.erf(z.exp() / math.sqrt(2.0)).log(), lambda z, _: LOG_2 + log_ndtr(-z.exp())
)
_EXPONENTIAL_TAILS = Tails(lambda z, _: torch.log(-torch.expm1(-z.exp())), lambda z, _: -z.exp())
_GAMMA_TAILS = Tails(lambda z, a: gamma_below(z.exp(), a[0]), lambda z, a: gamma_above(z.exp(), a[0]))
_BETA_TAILS = Tails(lambda z, a: beta_logit_below(z, a[0], a[1]), lambda z, a: beta_logit_below(-z, a[1], a[0]))
_STUDENTT_TAILS = Tails(lambda z, a: studentt_below(z, a[0]), lambda z, a: studentt_below(-z, a[0]))


# ---- discrete families


def normal_shares(z: Tensor) -> tuple[Tensor, Tensor]:
    """Φ(z) and Φ(−z), both above 0; torch's ndtr is 0 from −8.3 on."""
    inner = z.clamp(-_FARTHEST, _FARTHEST) / math.sqrt(2.0)
    return 0.5 * torch.erfc(-inner), 0.5 * torch.erfc(inner)


def _poisson(z: Tensor, arguments: Arguments) -> Tensor:
    return counts.quantile(counts.POISSON, arguments, *normal_shares(z))


def categorical(values: tuple[float, ...]) -> PriorFamily:
    """The family on these ascending values; its arguments are their weights."""
    ordered = torch.tensor(values, dtype=torch.float64)

    def transform(z: Tensor, arguments: Arguments) -> Tensor:
        share, _ = normal_shares(z)
        total = torch.stack(torch.broadcast_tensors(*arguments)).sum(0)
        below: Tensor | float = 0.0
        index = torch.zeros(torch.broadcast_shapes(z.shape, total.shape), dtype=torch.int64)
        for weight in arguments[:-1]:
            below = below + weight
            index = index + (share * total > below)
        return ordered[index]

    return PriorFamily(transform, _normal_log_density, _sample_normal, _positive(*range(len(values))))


FAMILIES: dict[str, PriorFamily] = {
    "normal": PriorFamily(
        lambda z, a: a[0] + a[1] * z,
        _normal_log_density,
        _sample_normal,
        _positive(1),
        Line(lambda x, a: (x - a[0]) / a[1], _NORMAL_TAILS),
    ),
    "lognormal": PriorFamily(
        lambda z, a: (a[0] + a[1] * z).exp(),
        _normal_log_density,
        _sample_normal,
        _positive(1),
        Line(lambda x, a: (_logarithm(x) - a[0]) / a[1], _NORMAL_TAILS),
    ),
    "halfnormal": PriorFamily(
        lambda z, a: a[0] * z.exp(),
        _halfnormal_log_density,
        _sample_halfnormal,
        _positive(0),
        Line(lambda x, a: _logarithm(x / a[0]), _HALFNORMAL_TAILS),
    ),
    "uniform": PriorFamily(
        lambda z, a: a[0] + (a[1] - a[0]) * torch.sigmoid(z),
        _sigmoid_log_density,
        _sample_uniform,
        lambda a: (a[0] < a[1]) & a[0].isfinite() & a[1].isfinite(),
        Line(lambda x, a: _logit((x - a[0]) / (a[1] - a[0])), _SIGMOID_TAILS),
    ),
    "loguniform": PriorFamily(
        _loguniform,
        _sigmoid_log_density,
        _sample_uniform,
        lambda a: (a[0] > 0) & (a[0] < a[1]) & a[1].isfinite(),
        Line(_loguniform_inverse, _SIGMOID_TAILS),
    ),
    "beta": PriorFamily(
        _beta, _beta_log_density, _sample_beta, _positive(0, 1), Line(lambda x, _: _logit(x), _BETA_TAILS)
    ),
    "gamma": PriorFamily(
        lambda z, a: z.exp() / a[1],
        lambda z, a: a[0] * z - z.exp() - torch.lgamma(a[0]),
        _sample_gamma,
        _positive(0, 1),
        Line(lambda x, a: _logarithm(x * a[1]), _GAMMA_TAILS),
    ),
    "exponential": PriorFamily(
        lambda z, a: z.exp() / a[0],
        _exponential_log_density,
        _sample_exponential,
        _positive(0),
        Line(lambda x, a: _logarithm(x * a[0]), _EXPONENTIAL_TAILS),
    ),
    "studentt": PriorFamily(
        lambda z, a: a[1] + a[2] * z,
        lambda z, a: studentt_log_density(z, a[0]),
        _sample_studentt,
        _positive(0, 2),
        Line(lambda x, a: (x - a[1]) / a[2], _STUDENTT_TAILS),
    ),
    "poisson": PriorFamily(_poisson, _normal_log_density, _sample_normal, _positive(0)),
}
