"""What an episode is worth after its experiments, by the domain's goal; larger is better.

With ℓ_0 the truth's log-likelihood, ℓ_1 … ℓ_L those of contrasts from the prior, and w_l their weights e^{ℓ_l}/Σ,
l ≥ 1; v_l are these mixed with even ones, as if one draw of the prior stood beside the 1/Σ w² that they effectively
are, which keeps few contrasts from being sure (a prediction would only be spoiled by it):

- learn: sPCE = ℓ_0 − log (1/(L+1)) Σ_{l≥0} e^{ℓ_l} (Foster et al. 2021), a lower bound on the information.
- learn with names: log q(φ_0) − log p̂(φ_0), q a normal law with mean and covariance under v of the named
  parameters φ, mixed with a twentieth of their prior; a lower bound on the information about φ for any q (Barber &
  Agakov 2003). φ is made standard normal by the contrasts' ranks; q's covariance has at least 0.05² on its diagonal.
- discriminate: log of the true law's probability, Σ_l v_l over its contrasts.
- predict: −(ŷ − E[y | truth])² over the prior's variance, mean over the goal's points, ŷ = Σ_l w_l E[y | l].
- maximise, minimise: −(best − chosen) ÷ (best − mean) of the truth's objective over a grid, the chosen design being
  the best of Σ_l w_l f_l.

The truth is not among the contrasts of the last four, whose expectations are therefore lower bounds as well: what is
judged is an answer from L draws of the prior, which is no better than the exact posterior's.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.special import ndtri

from domains.mechanisms import MechanismModel
from domains.worlds import DomainModel, Worlds
from meta_learner.goals import prior_variance, true_predictions
from meta_learner.specialists.contrasts import Contrasts, Law
from meta_learner.streams import stream

Score = Callable[[Tensor, Tensor], Tensor]  # ℓ_0 [episodes], ℓ [episodes, contrasts] → [episodes]

_GRID = 256  # designs over which an optimum is sought
_FLOOR = 0.05  # least standard deviation of q
_SHARE = 0.05  # share of the prior in q
_LOG_2PI = math.log(2 * math.pi)


def score_of(model: DomainModel, truths: Worlds, contrasts: Contrasts) -> Score:
    """The goal's score in these worlds."""
    kind = model.domain.goal.kind
    if kind == "learn":
        return _named(model, truths, contrasts) if model.domain.goal.parameters else spce
    if kind == "discriminate":
        return _law(model, truths, contrasts)
    return _predict(model, truths, contrasts) if kind == "predict" else _optimise(model, truths, contrasts)


def spce(truth: Tensor, others: Tensor) -> Tensor:
    """Sequential prior contrastive estimation, nats [episodes]."""
    together = torch.logaddexp(truth, others.logsumexp(-1))
    return truth - together + math.log(others.shape[-1] + 1)


def _law(model: DomainModel, truths: Worlds, contrasts: Contrasts) -> Score:
    own = truths.mechanism[:, None] == contrasts.mechanism
    prior = model.log_weights.exp()[truths.mechanism]

    def score(truth: Tensor, others: Tensor) -> Tensor:
        del truth
        weight = others.softmax(-1)
        share, of_prior = torch.where(own, weight, 0.0).sum(-1), _of_prior(weight)[:, 0]
        return ((1 - of_prior) * share + of_prior * prior).log()  # a law that no contrast has keeps its prior's share

    return score


def _of_prior(weight: Tensor) -> Tensor:
    """The share of one draw among 1/Σ w² and one [episodes, 1]."""
    return 1 / (1 + 1 / weight.square().sum(-1, keepdim=True))


def _mixed(others: Tensor) -> Tensor:
    """v [episodes, contrasts]."""
    weight = others.softmax(-1)
    share = _of_prior(weight)
    return (1 - share) * weight + share / weight.shape[-1]


def _named(model: DomainModel, truths: Worlds, contrasts: Contrasts) -> Score:
    goal, parameters = model.domain.goal, model.domain.parameters
    names = [entry for name in goal.parameters for p in parameters if p.name == name for entry in p.entries]
    sample = contrasts.values(names)
    mine = torch.stack([_of_truths(truths, name) for name in names], dim=-1)
    rest, own = _normal_scores(sample, sample), _normal_scores(mine, sample)
    prior = -0.5 * (own.square() + _LOG_2PI).sum(-1)

    def score(truth: Tensor, others: Tensor) -> Tensor:
        del truth
        fitted = _normal_log_density(own, rest, _mixed(others)) + math.log(1 - _SHARE)
        return torch.logaddexp(fitted, prior + math.log(_SHARE)) - prior

    return score


def _of_truths(truths: Worlds, name: str) -> Tensor:
    """A parameter that every law has, in each true world [episodes]."""
    each = torch.stack([parameters[name] for parameters in truths.parameters], dim=-1)
    return each.gather(-1, truths.mechanism[:, None])[:, 0]


def _normal_scores(values: Tensor, sample: Tensor) -> Tensor:
    """Φ⁻¹ of the shares of a sample [draws, names] below values [rows, names], ties halved."""
    ordered, asked = sample.T.sort(dim=-1).values.contiguous(), values.T.contiguous()
    ends = [torch.searchsorted(ordered, asked, right=right) for right in (False, True)]
    share = (ends[0] + ends[1]).T / (2 * len(sample))
    edge = 0.5 / len(sample)
    return ndtri(share.to(torch.float64).clamp(edge, 1 - edge))


def _normal_log_density(own: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """log N(own; weighted mean and covariance of points [draws, names]) [episodes]; weight [episodes, draws]."""
    mean = weight @ points
    centred = points - mean[:, None]
    covariance = torch.einsum("el,eli,elj->eij", weight, centred, centred)
    root = torch.linalg.cholesky(covariance + _FLOOR**2 * torch.eye(points.shape[-1], dtype=torch.float64))
    off = torch.linalg.solve_triangular(root, (own - mean)[..., None], upper=False)[..., 0]
    return -0.5 * (off.square() + _LOG_2PI).sum(-1) - root.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _predict(model: DomainModel, truths: Worlds, contrasts: Contrasts) -> Score:
    parts = [
        contrasts.of_designs(points, _expectation(column))
        for outcome, points in model.prediction_points.items()
        for column in model.columns_of(outcome)
    ]
    table, right = torch.cat(parts, dim=-1), true_predictions(model, truths)
    variance = prior_variance(model)

    def score(truth: Tensor, others: Tensor) -> Tensor:
        del truth
        return -((others.softmax(-1) @ table - right).square() / variance).mean(-1)

    return score


def _expectation(column: int) -> Law:
    return lambda law, parameters, designs: law.expectations(parameters, designs)[column]


def _optimise(model: DomainModel, truths: Worlds, contrasts: Contrasts) -> Score:
    grid = model.space.sobol(_GRID, stream(0, 0, 0, "design"))
    lowest = torch.finfo(torch.float64).min / _GRID
    table = (model.sign * contrasts.of_designs(grid, MechanismModel.objective)).nan_to_num(nan=lowest)
    right = model.sign * model.in_worlds(truths, grid.expand(len(truths.mechanism), -1, -1), MechanismModel.objective)
    right = right.nan_to_num(nan=lowest)
    best = right.amax(-1)
    scale = (best - right.mean(-1)).clamp_min(1e-300)

    def score(truth: Tensor, others: Tensor) -> Tensor:
        del truth
        chosen = (others.softmax(-1) @ table).argmax(-1, keepdim=True)
        return -(best - right.gather(-1, chosen)[:, 0]) / scale

    return score
