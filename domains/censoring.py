"""Censored outcomes: what lies beyond a bound is read as the bound, a point mass there."""

from dataclasses import replace

import torch
from torch import Tensor

from domains.distributions import Arguments, Tails
from domains.outcomes import OutcomeFamily


def censored(family: OutcomeFamily, low: float | None, high: float | None) -> OutcomeFamily:
    """The family read between the bounds (either may be None); E[y] stays that of the uncensored outcome.

    log P(Y ≤ low) at low, log P(Y ≥ high) at high, the log density between them, −∞ outside.
    """
    tails = family.tails
    assert tails is not None
    floor, ceiling = -torch.inf if low is None else low, torch.inf if high is None else high

    def log_density(y: Tensor, arguments: Arguments) -> Tensor:
        outside = (y < floor) | (y > ceiling)
        density = torch.where(outside, -torch.inf, family.log_density(y, arguments))
        if low is not None:
            density = torch.where(y == low, tails.below(y.new_tensor(low), arguments), density)
        if high is not None:
            density = torch.where(y == high, tails.above(y.new_tensor(high), arguments), density)
        return density

    def sample(arguments: Arguments, uniforms: Tensor) -> Tensor:
        return family.sample(arguments, uniforms).clamp(floor, ceiling)

    def below(y: Tensor, arguments: Arguments) -> Tensor:
        inside = torch.where(y >= ceiling, 0.0, tails.below(y, arguments))
        return torch.where(y < floor, -torch.inf, inside)

    def above(y: Tensor, arguments: Arguments) -> Tensor:
        inside = torch.where(y <= floor, 0.0, tails.above(y, arguments))
        return torch.where(y > ceiling, -torch.inf, inside)

    reading = Tails(below, above)
    whole = replace(
        family, options=None, linear=None, bounds=(low, high)
    )  # a bound need not be one of a count's values
    return replace(whole, log_density=log_density, sample=sample, tails=reading)
