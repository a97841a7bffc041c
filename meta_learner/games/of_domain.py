"""The decisions of a domain as games: hypotheses of a belief, candidate designs, and what may come back.

Few outcomes are listed. Of many, some hypotheses draw one each, with the same noise at all designs, which stands for
its share of what may come back: p(y_s | h) ÷ p(y_s) times the weight of the hypothesis that drew it, scaled to add up
to 1 over s (self-normalised importance sampling from the predictive distribution). So a game has a few outcomes,
whatever their family: counts, vectors, censored, or a simulator's; where hypotheses predict far more closely than they
differ, what counts is whose outcome lies nearest.
"""

import torch
from torch import Tensor

from domains.worlds import DomainModel
from meta_learner import goals
from meta_learner.densities import Listed, Part, Ways, outcome_parts
from meta_learner.games.table import Games
from meta_learner.hypotheses import Hypotheses, tabulate

_LEAST = 1e-12  # probability of an outcome


def game_of(
    model: DomainModel,
    hypotheses: Hypotheses,
    designs: Tensor,
    left: Tensor,
    noise: Tensor,
    *,
    level: Tensor | None = None,
) -> Games:
    """One game a run.

    designs [runs, designs, columns]; left [runs]: of the budget; noise [draws, outcomes, 2]: uniform, of the hypotheses
    that draw an outcome; level [runs]: how probable a law is to be, where that is the goal.
    """
    parts = outcome_parts(model, hypotheses, designs, noise, Ways(most=len(noise), single=True))
    prior = hypotheses.log_weight.exp()
    table = torch.cat([_table(part, prior).flatten(0, 1) for part in parts]).unflatten(0, tuple(designs.shape[:2]))
    table = table.to(torch.float32).clamp_min(_LEAST)
    table = table / table.sum(-2, keepdim=True)
    payoff = _payoff(model, hypotheses)
    return Games(
        prior=prior.to(table.dtype),
        outcomes=table.transpose(-1, -2),
        target=_targets(model, hypotheses, payoff),
        cost=model.space.cost(designs).to(table.dtype),
        budget=left.to(table.dtype),
        payoff=payoff,
        mean=_means(model, hypotheses, designs),
        level=None if level is None else level.to(table.dtype),
    )


def goal_of(model: DomainModel, certain: float | None = None) -> str:
    """The utility that a domain's goal is played for; certain: the probability of a law at which a run ends."""
    goal = model.domain.goal
    if goal.kind == "discriminate" and certain is not None:
        return "certainty"
    if goal.kind == "learn":
        return "prediction" if goal.parameters else "information"
    return "prediction" if goal.kind == "predict" else "decision"


def _table(part: Part, prior: Tensor) -> Tensor:
    """p(y | h) [runs, designs, outcomes, hypotheses]; even where a hypothesis predicts nothing."""
    if isinstance(part.found, Listed):
        return part.found.log_probability.exp()
    bits = part.found.bits  # type: ignore[union-attr]  # no mean is asked for
    weight = prior[part.runs, None, None].to(bits.dtype)
    source = weight[..., : bits.shape[-2]]
    ratio = (bits - bits.amax(-1, keepdim=True)).exp2().nan_to_num(nan=1.0)
    share = ratio / (ratio * weight).sum(-1, keepdim=True)  # p(y_s | h) ÷ p(y_s)
    return share * source.mT


def _targets(model: DomainModel, hypotheses: Hypotheses, payoff: Tensor | None) -> Tensor:
    runs, rows = hypotheses.mechanism.shape
    kind = model.domain.goal.kind
    if kind == "discriminate":
        return hypotheses.mechanism
    if payoff is not None and kind in ("maximise", "minimise"):
        return payoff.argmax(-1)
    return torch.arange(rows).expand(runs, -1)


def _payoff(model: DomainModel, hypotheses: Hypotheses) -> Tensor | None:
    """What is to be predicted, or what designs would give, if each hypothesis held."""
    goal = model.domain.goal
    if goal.kind == "predict" or goal.parameters:
        return _standardised(goals.targets(model, hypotheses), hypotheses)
    if goal.kind not in ("maximise", "minimise"):
        return None
    answers = goals.possible_answers(model, hypotheses)
    return _standardised(goals.objectives(model, hypotheses, answers), hypotheses)


def _standardised(values: Tensor, hypotheses: Hypotheses) -> Tensor:
    """Values [runs, hypotheses, answers] in single precision, in units of their largest standard deviation."""
    weight = hypotheses.log_weight.exp()[..., None]
    centred = values - (weight * values).sum(1, keepdim=True)
    sd = (weight * centred.square()).sum(1, keepdim=True).sqrt().amax(-1, keepdim=True)
    return torch.where(sd > 0, centred / sd, 0.0).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).to(torch.float32)


def _means(model: DomainModel, hypotheses: Hypotheses, designs: Tensor) -> Tensor:
    """The outcome that each hypothesis expects [runs, designs, hypotheses]: of several, the sum in units of their
    spread."""
    count = len(model.outcome_names)
    if hypotheses.statistics is not None:
        return torch.zeros((*designs.shape[:2], hypotheses.mechanism.shape[1]), dtype=torch.float32)
    tables = tabulate(model, hypotheses, designs, lambda law, p, d: law.expectations(p, d), count)
    expected = torch.stack([table.expand(*hypotheses.mechanism.shape, -1) for table in tables]).nan_to_num(nan=0.0)
    spread = expected.std(2, keepdim=True).clamp_min(1e-300)
    return (expected / spread if count > 1 else expected).sum(0).transpose(1, 2).to(torch.float32)
