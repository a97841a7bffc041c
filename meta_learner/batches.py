"""Batches: designs that are chosen one after the other, none knowing another's outcome, and run together."""

from collections.abc import Callable

import torch
from torch import Tensor

from domains.worlds import DomainModel
from meta_learner.belief import History
from meta_learner.policies.base import Choice

Choose = Callable[[History, Tensor], Choice]
Affords = Callable[[History, Tensor], bool]


def choose_batch(
    model: DomainModel, history: History, spent: Tensor, *, size: int, choose: Choose, affords: Affords
) -> tuple[Choice, ...]:
    """Up to ``size`` choices, each made as if those before it had been run and nothing had come back yet.

    choose, affords: what to do next, and whether any run can pay for more, given a history and what is spent [runs]
    after it. The batch is shorter than ``size`` once no run can pay for more. Costs are added up as the experiments
    will add them, so that what is affordable here is so there.
    """
    choices = [choose(history, spent)]
    while len(choices) < size:
        designs = choices[-1].designs
        history = history.append(designs, nothing_yet(model, designs))
        spent = spent + model.space.cost(designs)
        if not affords(history, spent):
            break
        choices.append(choose(history, spent))
    return tuple(choices)


def nothing_yet(model: DomainModel, designs: Tensor) -> Tensor:
    """The outcomes [runs, outcomes] of experiments that are under way: missing."""
    return torch.full((len(designs), len(model.outcome_names)), torch.nan, dtype=torch.float64)
