"""Normal scores of outcomes: the point, or the interval, of z that an outcome stands for."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.special import log_ndtr, ndtri

_POINT = 1e-9  # an outcome's own probability, below which it counts as continuous
_TINY = 1e-300
FINEST = 1e-5  # the smallest tail that particles are trusted with
LOG_ROOT_2PI = 0.9189385332046727


@dataclass(frozen=True)
class Intervals:
    """z lies between low and high; where they are one, outcomes are continuous. All [...].

    mean: E[z | low, high] under N(0, 1); information: 1 − Var[z | low, high], the information about a small shift of z
    that such an outcome carries, as a share of a continuous one's.
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    information: Tensor

    @property
    def point(self) -> Tensor:
        return self.low == self.high

    def log_mass(self, mean: Tensor | float, sd: Tensor | float) -> Tensor:
        """log P(low ≤ Z ≤ high) of N(mean, sd²), its log density where low = high."""
        a, b = (self.low - mean) / sd, (self.high - mean) / sd
        sd = torch.as_tensor(sd, dtype=torch.float64)
        density = -0.5 * a.square() - LOG_ROOT_2PI - sd.log()
        wide = (~self.point).expand(density.shape)
        return density.masked_scatter(wide, log_normal_mass(a[wide], b[wide])) if bool(wide.any()) else density


def log_normal_mass(low: Tensor, high: Tensor) -> Tensor:
    """log [Φ(high) − Φ(low)], in the tail where it can be told; 0 for the whole line."""
    whole = low.isinf() & high.isinf()
    flip = ~whole & (low + high > 0)
    a, b = torch.where(flip, -high, low), torch.where(flip, -low, high)
    top = log_ndtr(b)
    rest = torch.where(a.isneginf(), -torch.inf, log_ndtr(a) - top).clamp_max(-1e-300)
    return torch.where(whole, 0.0, top + torch.log(-torch.expm1(rest)))


def intervals(below: Tensor, above: Tensor) -> Intervals:
    """From P(Y ≤ y) and P(Y ≥ y) [...]; both 1 says nothing: the whole line.

    An outcome's own probability is their sum − 1. Each end is taken from the smaller of its tails. Beyond ``FINEST``
    all outcomes are one, of that probability: a factor of evidence of at most its inverse, in favour of the laws.
    """
    point = below + above - 1 < _POINT
    middle = torch.where(below < above, _score(below), -_score(above))
    high = torch.where(below < 0.5, _score(below), -ndtri((1 - below).clamp_min(0.0)))
    low = torch.where(above < 0.5, -_score(above), ndtri((1 - above).clamp_min(0.0)))
    low, high = torch.where(point, middle, low), torch.where(point, middle, high)
    far_below, far_above = below < FINEST, above < FINEST
    edge = -_score(torch.tensor(FINEST, dtype=torch.float64))
    low = torch.where(far_below, -torch.inf, torch.where(far_above, edge, low))
    high = torch.where(far_above, torch.inf, torch.where(far_below, -edge, high))
    point = point & ~far_below & ~far_above
    return Intervals(low, high, *_moments(low, high, point))


def _score(tail: Tensor) -> Tensor:
    return ndtri(tail.clamp_min(_TINY))


def _moments(low: Tensor, high: Tensor, point: Tensor) -> tuple[Tensor, Tensor]:
    log_mass = log_normal_mass(low, high)
    densities = [(-0.5 * end.square() - LOG_ROOT_2PI - log_mass).exp() for end in (low, high)]
    mean = densities[0] - densities[1]
    ends = [torch.where(end.isinf(), 0.0, end) * density for end, density in zip((low, high), densities, strict=True)]
    information = (mean.square() - (ends[0] - ends[1])).clamp(0.0, 1.0)
    return torch.where(point, low, mean), torch.where(point, 1.0, information)
