"""Designs that fill the space evenly: a Sobol sequence, shifted at random for every run (Cranley & Patterson 1976)."""

import torch

from domains import randomness
from meta_learner.policies.base import Choice, DesignProblem, Policy, first_allowed, pooled, unscored

_AHEAD = 64  # points of the sequence to look ahead at first, where constraints or costs forbid the next


class Sobol(Policy):
    """The design that knows nothing of the question but covers it."""

    name = "sobol"

    def choose(self, problem: DesignProblem) -> Choice:
        space = problem.model.space
        columns = len(space.names)
        shift = randomness.uniform((problem.runs, 1, columns), problem.sequence)
        for ahead in (_AHEAD, 16 * _AHEAD, 256 * _AHEAD):
            sequence = randomness.sobol(columns)(problem.step + ahead)
            points = (sequence + shift) % 1.0
            if problem.pool is not None:
                return unscored(self._nearest(problem, points[:, problem.step]))
            designs = space.decode(points)
            new = space.feasible(designs).cumsum(-1) > problem.step  # points before were used up by earlier steps
            if bool((problem.allowed(designs) & new).any(-1).all()):
                break
        return unscored(first_allowed(problem, designs, new))

    def _nearest(self, problem: DesignProblem, points: torch.Tensor) -> torch.Tensor:
        """Of the pool's designs that are left, the nearest to the sequence's points [runs, columns]."""
        assert problem.pool is not None
        designs, allowed = pooled(problem, problem.pool)
        distance = (problem.model.space.encode(designs) - points[:, None]).square().sum(-1)
        pick = torch.where(allowed, distance, torch.inf).argmin(-1)
        return designs[torch.arange(problem.runs), pick]
