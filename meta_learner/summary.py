"""What a belief says of each parameter: means, standard deviations and quantiles, per run and mechanism."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from domains.simulators import ExactSimulator, Marginal
from domains.worlds import DomainModel
from meta_learner.belief import Belief

LOW, HIGH = 0.05, 0.95  # the 90 % interval's ends


def by_probability(belief: Belief) -> Tensor:
    """The laws of each run, the most probable first [runs, mechanisms]; those that tie stay in the domain's order."""
    return belief.log_probability.exp().argsort(dim=-1, descending=True, stable=True)


def marginals(
    model: DomainModel, belief: Belief, mechanism: int, only: Collection[str] | None = None
) -> Mapping[str, Marginal]:
    """Parameter name → its marginal posterior under one mechanism; of those in ``only``, where it is given."""
    if belief.posterior is not None:
        assert isinstance(model.simulator, ExactSimulator)
        every = model.simulator.marginals(belief.posterior.statistics, mechanism)
        return every if only is None else {name: value for name, value in every.items() if name in only}
    population = belief.populations[mechanism]
    values = model.mechanisms[mechanism].parameters(population.z)
    return {
        name: marginal(value, population.log_weight) for name, value in values.items() if only is None or name in only
    }


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
