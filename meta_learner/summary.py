"""What a belief says of each parameter: means, standard deviations and quantiles, per run and mechanism."""

from dataclasses import dataclass

import torch
from torch import Tensor

from domains.worlds import DomainModel
from meta_learner.belief import Belief

LOW, HIGH = 0.05, 0.95  # the 90 % interval's ends


@dataclass(frozen=True)
class Marginal:
    """One parameter under one mechanism, for every run [runs]: mean, sd, and the 5 % and 95 % quantiles."""

    mean: Tensor
    sd: Tensor
    low90: Tensor
    high90: Tensor


def marginals(model: DomainModel, belief: Belief) -> list[dict[str, Marginal]]:
    """Per mechanism: parameter name → its marginal posterior under that mechanism."""
    result = []
    for mechanism, population in zip(model.mechanisms, belief.populations, strict=True):
        values = mechanism.parameters(population.z)
        result.append({name: marginal(value, population.log_weight) for name, value in values.items()})
    return result


def marginal(values: Tensor, log_weight: Tensor) -> Marginal:
    """Weighted moments and quantiles over particles: values and log_weight [runs, particles]."""
    weight = log_weight.exp()
    mean = (weight * values).sum(-1)
    sd = (weight * (values - mean[:, None]).square()).sum(-1).clamp_min(0).sqrt()
    ordered, order = values.sort(dim=-1)
    cumulative = weight.gather(-1, order).cumsum(-1).contiguous()
    cumulative = cumulative / cumulative[:, -1:]

    def quantile(share: float) -> Tensor:
        place = torch.searchsorted(cumulative, torch.full_like(cumulative[:, :1], share))
        return ordered.gather(-1, place.clamp_max(values.shape[-1] - 1))[:, 0]

    return Marginal(mean, sd, quantile(LOW), quantile(HIGH))
