"""Prior families as transforms of an unconstrained variable z.

A parameter is x = transform(z, arguments), with z on the whole real line, and the prior's density is kept in z:
log p(z) = log p(x) + log |dx/dz|. Arguments that only shift or scale x stay in the transform, so hierarchical priors
are non-centred (Papaspiliopoulos, Roberts & Sköld 2007). All functions are elementwise over broadcast shapes, in
float64.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

Arguments = tuple[Tensor, ...]

_LOG_2 = math.log(2.0)
_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_TINY = 2.0**-54


@dataclass(frozen=True)
class PriorFamily:
    """One family. ``sample`` draws z of the given shape; ``valid`` says where the arguments make sense."""

    transform: Callable[[Tensor, Arguments], Tensor]
    log_density: Callable[[Tensor, Arguments], Tensor]
    sample: Callable[[torch.Size, Arguments, torch.Generator], Tensor]
    valid: Callable[[Arguments], Tensor]


def _normal_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    del arguments
    return -0.5 * z.square() - _LOG_ROOT_2PI


def _sample_normal(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    del arguments
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _halfnormal_log_density(z: Tensor, arguments: Arguments) -> Tensor:
    return _LOG_2 + _normal_log_density(z.exp(), arguments) + z


def _sample_halfnormal(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    return _sample_normal(shape, arguments, generator).abs().clamp_min(_TINY).log()


def _sample_uniform(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    del arguments
    return torch.rand(shape, generator=generator, dtype=torch.float64).clamp(_TINY, 1 - _TINY).logit()


def _sample_log_gamma(shape: Tensor, generator: torch.Generator) -> Tensor:
    """log of a standard gamma draw; for small shapes by Gamma(a) = Gamma(a + 1)·U^(1/a), which cannot underflow."""
    boosted = torch._standard_gamma(shape + 1.0, generator=generator)
    uniform = torch.rand(shape.shape, generator=generator, dtype=torch.float64).clamp_min(_TINY)
    return boosted.log() + uniform.log() / shape


def _sample_gamma(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    return _sample_log_gamma(arguments[0].expand(shape).contiguous(), generator)


def _sample_beta(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    first, second = (_sample_log_gamma(a.expand(shape).contiguous(), generator) for a in arguments)
    return first - second


def _sample_exponential(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    del arguments
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64).clamp(_TINY, 1 - _TINY)
    return (-torch.log1p(-uniform)).log()


def _sample_studentt(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
    df = arguments[0].expand(shape).contiguous()
    chi_square = 2.0 * torch._standard_gamma(df / 2.0, generator=generator)
    return torch.randn(shape, generator=generator, dtype=torch.float64) * (df / chi_square).sqrt()


def studentt_log_density(z: Tensor, df: Tensor) -> Tensor:
    """Log density of the standard Student t with ``df`` degrees of freedom.

    Where df is large, the difference of the two lgamma cancels; its asymptotic series is right to 1e-10 there.
    """
    constant = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - 0.5 * (df * math.pi).log()
    series = -_LOG_ROOT_2PI - 1 / (4 * df)
    return torch.where(df > 1000, series, constant) - (df + 1) / 2 * torch.log1p(z.square() / df)


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


FAMILIES: dict[str, PriorFamily] = {
    "normal": PriorFamily(lambda z, a: a[0] + a[1] * z, _normal_log_density, _sample_normal, _positive(1)),
    "lognormal": PriorFamily(lambda z, a: (a[0] + a[1] * z).exp(), _normal_log_density, _sample_normal, _positive(1)),
    "halfnormal": PriorFamily(
        lambda z, a: a[0] * z.exp(),
        _halfnormal_log_density,
        _sample_halfnormal,
        _positive(0),
    ),
    "uniform": PriorFamily(
        lambda z, a: a[0] + (a[1] - a[0]) * torch.sigmoid(z),
        _sigmoid_log_density,
        _sample_uniform,
        lambda a: (a[0] < a[1]) & a[0].isfinite() & a[1].isfinite(),
    ),
    "loguniform": PriorFamily(
        _loguniform, _sigmoid_log_density, _sample_uniform, lambda a: (a[0] > 0) & (a[0] < a[1]) & a[1].isfinite()
    ),
    "beta": PriorFamily(_beta, _beta_log_density, _sample_beta, _positive(0, 1)),
    "gamma": PriorFamily(
        lambda z, a: z.exp() / a[1],
        lambda z, a: a[0] * z - z.exp() - torch.lgamma(a[0]),
        _sample_gamma,
        _positive(0, 1),
    ),
    "exponential": PriorFamily(
        lambda z, a: z.exp() / a[0], _exponential_log_density, _sample_exponential, _positive(0)
    ),
    "studentt": PriorFamily(
        lambda z, a: a[1] + a[2] * z, lambda z, a: studentt_log_density(z, a[0]), _sample_studentt, _positive(0, 2)
    ),
}
