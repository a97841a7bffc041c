"""What a goal asks about each hypothesis, what the agent answers, and how the answer is scored in the true world.

maximise and minimise: the target is the hypothesis's own best design and value (joint entropy search, Hvarfner, Hutter
& Nardi 2022); the answer is the design with the highest posterior mean of the objective; its score the simple regret.
predict: the target is E[y | world, design] at the goal's points; the answer its posterior mean; the score the squared
error over the prior's variance. learn with names: the target is those parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from domains.mechanisms import MechanismModel
from domains.simulators import Parameters
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import Belief
from meta_learner.hypotheses import Hypotheses, draw_hypotheses, tabulate
from meta_learner.streams import stream

_GRID = 256  # designs over which a hypothesis's own optimum is sought, for its target
_ANSWERS = 12  # of each kind that may turn out best
_ANSWER_GRID = 1024  # and for recommendations
_TRUE_GRID = 4096  # and for the optimum of the true world
_ANSWER_HYPOTHESES = 512
_ROUNDS, _REFINED = 6, 64  # of local refinement
_PRIOR_WORLDS = 4096

Value = Callable[[Tensor], Tensor]  # designs [runs, designs, columns] → [runs, designs]


@dataclass(frozen=True)
class Answer:
    """What the agent says when asked now: recommendation [runs, columns], or prediction [runs, points] with its
    posterior standard deviation, or neither."""

    recommendation: Tensor | None = None
    prediction: Tensor | None = None
    prediction_sd: Tensor | None = None


def targets(model: DomainModel, hypotheses: Hypotheses) -> Tensor:
    """What the goal asks about each hypothesis [runs, hypotheses, targets]."""
    goal = model.domain.goal
    if goal.kind == "learn":
        return hypotheses.values([entry for name in goal.parameters for entry in _entries(model, name)])
    if goal.kind == "predict":
        return predictions(model, hypotheses)
    grid = model.space.sobol(_GRID, stream(0, 0, 0, "design")).expand(len(hypotheses.mechanism), -1, -1)
    value, place = objectives(model, hypotheses, grid).max(-1)
    unit = model.space.encode(grid[0])[place]  # [runs, hypotheses, columns]
    return torch.cat([unit, value[..., None]], dim=-1)


def _entries(model: DomainModel, name: str) -> tuple[str, ...]:
    return next(p.entries for p in model.domain.parameters if p.name == name)


def predictions(model: DomainModel, hypotheses: Hypotheses) -> Tensor:
    """E[y | hypothesis, design] at the goal's points [runs, hypotheses, points]."""
    parts: list[Tensor] = []
    for outcome, points in model.prediction_points.items():
        designs = points.expand(len(hypotheses.mechanism), -1, -1)
        columns = model.columns_of(outcome)
        tables = tabulate(
            model, hypotheses, designs, lambda law, p, d: law.expectations(p, d), len(model.outcome_names)
        )
        parts.extend(tables[column].expand(*hypotheses.mechanism.shape, -1) for column in columns)
    return torch.cat(parts, dim=-1)


def objectives(model: DomainModel, hypotheses: Hypotheses, designs: Tensor) -> Tensor:
    """The goal's objective, larger is better, of designs [runs, designs, columns]: [runs, hypotheses, designs]."""
    (table,) = tabulate(model, hypotheses, designs, lambda law, p, d: [law.objective(p, d)], 1)
    return (model.sign * table.nan_to_num(nan=-torch.inf)).expand(*hypotheses.mechanism.shape, -1)


def possible_answers(model: DomainModel, hypotheses: Hypotheses) -> Tensor:
    """Designs that may turn out the best [runs, answers, columns]: those with the highest means of the objective over
    the hypotheses, and those with the highest means plus standard deviations."""
    grid = model.space.sobol(_GRID, stream(0, 0, 0, "design")).expand(len(hypotheses.mechanism), -1, -1)
    value = objectives(model, hypotheses, grid)
    weight = hypotheses.log_weight.exp()[..., None]
    mean = (weight * value).sum(1)
    hopeful = mean + (weight * (value - mean[:, None]).square()).sum(1).sqrt()
    few = min(_ANSWERS, grid.shape[1])
    place = torch.cat([ranked.nan_to_num(nan=-torch.inf).topk(few).indices for ranked in (mean, hopeful)], dim=1)
    return grid.gather(1, place[..., None].expand(-1, -1, grid.shape[2]))


def answer(model: DomainModel, belief: Belief, generator: torch.Generator) -> Answer:
    """The answer under a belief; empty where the goal asks for none."""
    goal = model.domain.goal
    if goal.kind not in ("predict", "maximise", "minimise"):
        return Answer()
    hypotheses = draw_hypotheses(model, belief, _ANSWER_HYPOTHESES, generator)
    weight = hypotheses.log_weight.exp()[..., None]
    if goal.kind == "predict":
        values = predictions(model, hypotheses)
        mean = (weight * values).sum(1)
        variance = (weight * (values - mean[:, None]).square()).sum(1)
        return Answer(prediction=mean, prediction_sd=variance.sqrt())

    def expected(designs: Tensor) -> Tensor:
        return (weight * objectives(model, hypotheses, designs)).sum(1)

    designs = model.space.sobol(_ANSWER_GRID, generator).expand(len(weight), -1, -1)
    best, _ = _climb(model, expected, designs, generator)
    return Answer(recommendation=best)


def score(model: DomainModel, worlds: Worlds, given: Answer) -> Tensor | None:
    """The answer's score in the true worlds [runs], smaller is better; None where the goal has none.

    maximise, minimise: (best − recommended) ÷ (best − mean over feasible designs). predict: mean over points of the
    squared error over the variance of the prior predictive mean.
    """
    if given.prediction is not None:
        error = (given.prediction - true_predictions(model, worlds)).square()
        return (error / prior_variance(model)).mean(-1)
    if given.recommendation is None:
        return None

    def true(designs: Tensor) -> Tensor:
        return model.sign * model.in_worlds(worlds, designs, MechanismModel.objective)

    generator = stream(0, 0, 0, "check")
    grid = model.space.sobol(_TRUE_GRID, generator)
    designs = grid.expand(len(given.recommendation), -1, -1)
    recommended = true(given.recommendation[:, None])[:, 0]
    _, best = _climb(model, true, designs, generator)
    best = torch.maximum(best, recommended)
    return (best - recommended) / (best - true(designs).mean(-1)).clamp_min(1e-300)


def _climb(model: DomainModel, value: Value, designs: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The best feasible design [runs, columns] and its value [runs]: from a grid, then by ever smaller steps."""
    rows = torch.arange(len(designs))
    values = value(designs)
    best, top = designs[rows, values.argmax(-1)], values.amax(-1)
    for round_ in range(_ROUNDS):
        near = model.space.perturb(best[:, None].expand(-1, _REFINED, -1), 0.2 / 3.0**round_, generator)
        found = torch.where(model.space.feasible(near), value(near), -torch.inf)
        better, place = found.max(-1)
        best = torch.where((better > top)[:, None], near[rows, place], best)
        top = torch.maximum(top, better)
    return best, top


def true_predictions(model: DomainModel, worlds: Worlds) -> Tensor:
    """E[y | world, design] at the goal's points in each run's true world [runs, points]."""
    parts: list[Tensor] = []
    for outcome, points in model.prediction_points.items():
        designs = points.expand(len(worlds.mechanism), -1, -1)
        parts.extend(model.in_worlds(worlds, designs, _expectation(column)) for column in model.columns_of(outcome))
    return torch.cat(parts, dim=-1)


def _expectation(column: int) -> Callable[[MechanismModel, Parameters, Tensor], Tensor]:
    return lambda law, parameters, designs: law.expectations(parameters, designs)[column]


@lru_cache(maxsize=8)
def prior_variance(model: DomainModel) -> Tensor:
    """Variance over the prior of what is to be predicted [points]."""
    worlds = model.draw_worlds(_PRIOR_WORLDS, stream(0, 0, 0, "prior"))
    return true_predictions(model, worlds).var(0).clamp_min(1e-300)
