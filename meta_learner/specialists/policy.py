"""A trained specialist as a policy of campaigns: it looks at the experiments only, not at the belief."""

import torch
from torch import Tensor

from domains.errors import DomainError
from meta_learner.batches import nothing_yet
from meta_learner.belief import History
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled, unscored
from meta_learner.specialists.legal import nearest, nearest_in
from meta_learner.specialists.network import Specialist


class Specialised(Policy):
    """The design that the network holds most likely, or one drawn as in training; the nearest that is allowed, or left
    in the pool."""

    def __init__(self, network: Specialist, *, drawn: bool = False) -> None:
        self.name, self.network, self.drawn = network.family, network, drawn

    @torch.no_grad()
    def choose(self, problem: DesignProblem) -> Choice:
        space = problem.model.space
        self._check(problem)
        history = _with_pending(problem)
        tokens = self.network.featuriser(history, _left_before(problem, history))
        decision = self.network.latest(tokens)
        action = decision.sample(problem.generator) if self.drawn else decision.mode()
        unit = self.network.layout.unit(action)
        if problem.pool is not None:
            return unscored(nearest_in(space, unit, *pooled(problem, problem.pool)))
        return unscored(nearest(space, unit, problem.remaining))

    def _check(self, problem: DesignProblem) -> None:
        """DomainError where the domain is another one."""
        model = problem.model
        expected, found = self.network.layout.names, (model.space.names, model.outcome_names)
        if expected != found:
            raise DomainError(
                f"policy {self.name}: it was trained for {_said(expected)}, and {model.domain.name} has "
                f"{_said(found)}; train one for this domain"
            )


def _said(names: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    return f"the settings {', '.join(names[0])} and outcomes {', '.join(names[1])}"


def _with_pending(problem: DesignProblem) -> History:
    """The experiments, and those under way, whose outcomes are missing."""
    history = problem.belief.history
    for design in problem.pending.unbind(1) if problem.pending.shape[0] == problem.runs else ():
        history = history.append(design, nothing_yet(problem.model, design))
    return history


def _left_before(problem: DesignProblem, history: History) -> Tensor:
    """What was left of the budget before every experiment, and is now [runs, steps + 1]: experiments that were given
    count as if they had been paid for."""
    if history.steps == 0:
        return problem.remaining[:, None]
    cost = problem.model.space.cost(history.designs)
    earlier = problem.remaining[:, None] + cost.flip(1).cumsum(1).flip(1)
    return torch.cat([earlier, problem.remaining[:, None]], dim=1)
