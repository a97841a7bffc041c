"""Random designs: uniform over the design space (in its scale), or over the measurements left in a pool."""

import torch

from domains import randomness
from meta_learner.policies.base import Choice, DesignProblem, Policy, first_allowed, pooled, unscored

_TRIES = 256  # candidates per run, of which the first allowed is taken


class Random(Policy):
    """The baseline that every other policy must beat."""

    name = "random"

    def choose(self, problem: DesignProblem) -> Choice:
        if problem.pool is not None:
            designs, allowed = pooled(problem, problem.pool)
            weight = torch.where(allowed, problem.pool.left, 0.0)
            weight = torch.where(weight.sum(-1, keepdim=True) > 0, weight, 1.0)
            pick = randomness.choices(weight, 1, problem.generator)[:, 0]
            return unscored(designs[torch.arange(problem.runs), pick])
        space = problem.model.space
        designs = space.uniform(problem.runs * _TRIES, problem.generator)
        return unscored(first_allowed(problem, designs.reshape(problem.runs, _TRIES, -1)))
