"""Greedy expected information gain per cost: the strongest classical policy.

Candidates are a Sobol set; the best are refined by perturbations on many scales at once (the best design next to a
source may be a thousandth of the range wide), and the finalists are scored once more with more hypotheses.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_learner.information import Question, expected_information, pose
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled

_LEADING = 5  # candidates kept for the record


@dataclass(frozen=True)
class Search:
    """How candidates are searched.

    candidates: of the first, space-filling set; rounds × refined: perturbations of the ``parents`` best, with sizes
    spread evenly in the logarithm from ``smallest`` to ``largest`` of the unit cube; finalists: scored with all the
    hypotheses.
    """

    candidates: int = 256
    rounds: int = 8
    refined: int = 48
    parents: int = 8
    smallest: float = 1e-3
    largest: float = 0.3
    finalists: int = 8
    coarse: int = 128  # hypotheses in the mixture while searching
    coarse_draws: int = 32
    final_draws: int = 128


class ExpectedInformationGain(Policy):
    """Lindley 1956; Foster et al. 2019 for the nested estimator. Scores: ``expected_information`` per unit of cost."""

    name = "expected-information-gain"
    hypotheses = 512

    def __init__(self, search: Search | None = None) -> None:
        self.search = search or Search()

    def choose(self, problem: DesignProblem) -> Choice:
        if problem.pool is not None:
            designs, allowed = pooled(problem, problem.pool)
            question = pose(problem.model, problem.hypotheses, self.search.final_draws)
            scores = self._score(problem, question, designs)
            return _best(designs, torch.where(allowed, scores, -torch.inf))
        designs, scores = self._search(problem)
        finalists, _ = _top(designs, scores, self.search.finalists)
        question = pose(problem.model, problem.hypotheses, self.search.final_draws)
        scores = self._allowed_score(problem, question, finalists)
        choice = _best(finalists, scores)
        affordable = scores.isfinite().any(-1)
        designs = torch.where(affordable[:, None], choice.designs, problem.model.space.cheapest)
        return Choice(designs, choice.leading, choice.scores)

    def _search(self, problem: DesignProblem) -> tuple[Tensor, Tensor]:
        """All candidates tried [runs, candidates, columns] with their coarse scores [runs, candidates]."""
        search, space = self.search, problem.model.space
        coarse = pose(problem.model, problem.hypotheses.first(search.coarse), search.coarse_draws)
        designs = space.sobol(search.candidates, problem.generator).expand(problem.runs, -1, -1)
        scores = self._allowed_score(problem, coarse, designs)
        for _ in range(search.rounds):
            parents, _ = _top(designs, scores, search.parents)
            children = self._perturb(problem, parents)
            found = self._allowed_score(problem, coarse, children)
            designs, scores = torch.cat([designs, children], dim=1), torch.cat([scores, found], dim=1)
        return designs, scores

    def _perturb(self, problem: DesignProblem, parents: Tensor) -> Tensor:
        """Perturbed copies [runs, refined, columns] of the parents [runs, parents, columns]."""
        search, space = self.search, problem.model.space
        repeated = parents.repeat(1, -(-search.refined // parents.shape[1]), 1)[:, : search.refined]
        span = torch.tensor(search.largest / search.smallest).log()
        draws = torch.rand((*repeated.shape[:2], 1), generator=problem.generator)
        return space.perturb(repeated, search.smallest * (draws * span).exp(), problem.generator)

    def _allowed_score(self, problem: DesignProblem, question: Question, designs: Tensor) -> Tensor:
        return torch.where(problem.allowed(designs), self._score(problem, question, designs), -torch.inf)

    def _score(self, problem: DesignProblem, question: Question, designs: Tensor) -> Tensor:
        """Expected information per cost [runs, designs]; common random numbers across designs and calls of a step."""
        noise = torch.Generator().manual_seed(problem.scoring)
        gain = expected_information(problem.model, question, designs, noise)
        return gain / problem.model.space.cost(designs)


def _top(designs: Tensor, scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` best of designs [runs, designs, columns] with their scores, best first."""
    best, index = scores.topk(min(count, scores.shape[1]), dim=-1)
    return designs.gather(1, index[..., None].expand(-1, -1, designs.shape[2])), best


def _best(designs: Tensor, scores: Tensor) -> Choice:
    leading, best = _top(designs, scores, _LEADING)
    return Choice(leading[:, 0], leading, best)
