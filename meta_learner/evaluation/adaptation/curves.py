"""Adaptation curves: the score of every run after each of its experiments, and what it had cost by then."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.adaptation.scores import scorer
from meta_learner.evaluation.adaptation.shift import Shift, draw_shifted
from meta_learner.evaluation.benchmark import BLIND, BlindSteps
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.evaluation.processes import Tell, one_thread, silent
from meta_learner.policies.base import Policy
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.specialists import Specialised

Array = NDArray[np.float64]
Make = Callable[[], Policy]

_AT_CAP = 0.01  # nats below log(contrasts + 1)
_ROUNDING = 1e-9  # a sum of costs that exceeds a budget by no more than this share is within it


@dataclass(frozen=True)
class Order:
    """A block of runs to simulate; everything that its curves depend on. shifted_by: prior standard deviations."""

    domain: Domain
    make: Make
    shift: Shift
    budget: float
    seed: int
    block: int
    runs: int
    particles: int
    contrasts: int
    shifted_by: float


@dataclass(frozen=True)
class Curves:
    """What was scored and spent [runs, experiments + 1]: after each experiment and, in column 0, before any.

    score: larger is better; it stays, as spent does, once a run has ended. experiments [runs]: made by each run.
    failed: runs with a score that is not a number, which got the worst of all others. capped: runs whose sPCE came to
    log(contrasts + 1), as far as it goes. deciding: seconds of all decisions; decisions: how many.
    """

    score: Array
    spent: Array
    experiments: NDArray[np.int64]
    failed: int = 0
    capped: int = 0
    deciding: float = 0.0
    decisions: int = 0

    @property
    def runs(self) -> int:
        return len(self.score)

    @property
    def final(self) -> Array:
        """The score at the end of the budget [runs]."""
        return self.score[:, -1]

    def along(self, budgets: Sequence[float]) -> Array:
        """The score after the last experiment within each budget [runs, budgets]."""
        limits = np.asarray(budgets) * (1 + _ROUNDING)
        last = (self.spent[:, :, None] <= limits).sum(1) - 1
        return np.take_along_axis(self.score, last, axis=1)


def simulate(order: Order, told: Tell = silent) -> Curves:
    """Investigate a block of simulated worlds. Worlds and noise are the same for every policy.

    On one thread, so that the result does not depend on how many processes share the work.
    """
    with one_thread():
        model, policy = DomainModel(order.domain), order.make()
        unseeing = isinstance(policy, (*BLIND, Specialised))
        blind = model.domain.goal.kind == "learn" and unseeing  # then nothing looks at the belief
        worlds = None
        if order.shift == "shifted-parameters":
            worlds = draw_shifted(model, order.runs, seed=order.seed, block=order.block, by=order.shifted_by)
        steps, worlds = simulated_block(
            model,
            policy,
            runs=order.runs,
            seed=order.seed,
            block=order.block,
            budget=order.budget,
            settings=BeliefSettings(particles=2 if blind else order.particles),
            worlds=worlds,
            kind=BlindSteps if blind else BlockSteps,
        )
        judge = scorer(steps, worlds, contrasts=order.contrasts, seed=order.seed)
        state = steps.begin(order.runs)
        scores, spent, performed, deciding = [judge.see(state)], [state.spent], [state.performed], 0.0
        for state in rollout(steps, order.runs):
            scores.append(torch.where(state.performed, judge.see(state), scores[-1]))
            spent.append(state.spent)
            performed.append(state.performed)
            deciding += state.seconds
            told(min(1.0, state.spent.mean().item() / order.budget))
    made = torch.stack(performed).sum(0)
    found = Curves(_columns(scores), _columns(spent), made.cpu().numpy(), deciding=deciding, decisions=int(made.sum()))
    return _counted(found, order)


def _columns(states: Sequence[Tensor]) -> Array:
    found: Array = torch.stack(list(states), dim=1).to(torch.float64).cpu().numpy()
    return found


def _counted(curves: Curves, order: Order) -> Curves:
    """With failures and capped runs counted."""
    if order.domain.goal.kind != "learn":
        return curves
    cap = math.log(order.contrasts + 1) - _AT_CAP
    return replace(curves, capped=int((curves.final > cap).sum()))


def joined(parts: Sequence[Curves]) -> Curves:
    """The runs of several blocks as one; scores that are not numbers become the worst of the others."""
    steps = max(part.score.shape[1] for part in parts)
    score = np.concatenate([_longer(part.score, steps) for part in parts])
    bad = ~np.isfinite(score)
    score[bad] = score[~bad].min() if (~bad).any() else 0.0
    return Curves(
        score=score,
        spent=np.concatenate([_longer(part.spent, steps) for part in parts]),
        experiments=np.concatenate([part.experiments for part in parts]),
        failed=int(bad.any(1).sum()),
        capped=sum(part.capped for part in parts),
        deciding=sum(part.deciding for part in parts),
        decisions=sum(part.decisions for part in parts),
    )


def _longer(values: Array, steps: int) -> Array:
    """values [runs, fewer] with the last column again up to ``steps``."""
    return np.pad(values, ((0, 0), (0, steps - values.shape[1])), mode="edge")
