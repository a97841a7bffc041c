"""Parallel episodes over one domain, scored by contrasts: what specialists train in. No beliefs are kept.

Every episode has a hidden world, drawn from the domain's prior; its contrasts are shared by all episodes of the batch.
A policy is shown designs, outcomes and what is left of the budget; truths and contrasts are only used for rewards. An
episode ends when its budget pays for no more. Noise is a function of uniform draws, a fixed number a step (decision 7).
"""

import torch
from torch import Generator, Tensor

from domains.worlds import DomainModel
from meta_learner.belief import History
from meta_learner.specialists.contrasts import Contrasts, chosen
from meta_learner.specialists.scores import score_of

_LEAST = -1e8  # nats: an impossible world's log-likelihood, kept finite


class Episodes:
    """A batch of episodes under way.

    history: designs [episodes, steps, columns] and outcomes; remaining [episodes, steps + 1]: of the budget, before
    every experiment; score [episodes]: the goal's, so far; truth_terms [episodes]: log-likelihood of the truth;
    experiments: how many were simulated. Ended episodes have missing outcomes, which cost and say nothing.
    """

    def __init__(
        self, model: DomainModel, *, episodes: int, contrasts: int, generator: Generator, budget: float | None = None
    ) -> None:
        """Draws the worlds; budget: the domain's own unless given."""
        self.model, self._generator = model, generator
        worlds = model.draw_worlds(episodes + contrasts, generator)
        self.truths = chosen(worlds, slice(0, episodes))
        self.contrasts = Contrasts(model, chosen(worlds, slice(episodes, None)))
        self._score = score_of(model, self.truths, self.contrasts)
        nothing = torch.empty((episodes, 0), dtype=torch.float64)
        self.history = History(
            nothing[..., None].expand(-1, -1, len(model.space.names)),
            nothing[..., None].expand(-1, -1, len(model.outcome_names)),
        )
        spends = model.domain.budget if budget is None else budget
        self.remaining = torch.full((episodes, 1), spends, dtype=torch.float64)
        self.truth_terms = torch.zeros(episodes, dtype=torch.float64)
        self.contrast_terms = torch.zeros((episodes, contrasts), dtype=torch.float64)
        self.score = self._score(self.truth_terms, self.contrast_terms)
        self.start = self.score
        self.experiments = 0

    @property
    def active(self) -> Tensor:
        """Whose budget pays for another experiment: boolean [episodes]."""
        return self.model.space.available(self.model.space.cheapest, self.remaining[:, -1])

    def step(self, designs: Tensor, *, reparameterised: bool = False) -> Tensor:
        """One experiment in every active episode; what it adds to the score [episodes], 0 elsewhere.

        designs [episodes, columns], allowed ones. reparameterised: keep the gradient through drawn outcomes.
        """
        active = self.active
        outcomes = self.model.simulate(self.truths, designs, self._generator)
        outcomes = torch.where(active[:, None], outcomes if reparameterised else outcomes.detach(), torch.nan)
        self.experiments += int(active.sum())
        cost = torch.where(active, self.model.space.cost(designs.detach()), 0.0)
        self.remaining = torch.cat([self.remaining, (self.remaining[:, -1] - cost)[:, None]], dim=1)
        self.history = self.history.append(designs, outcomes)
        own = self.model.log_likelihood(self.truths, designs, outcomes)
        self.truth_terms = self.truth_terms + own.clamp_min(_LEAST)
        others = self.contrasts.log_likelihood(designs, outcomes)
        self.contrast_terms = self.contrast_terms + others.clamp_min(_LEAST)
        before, self.score = self.score, self._score(self.truth_terms, self.contrast_terms)
        return self.score - before
