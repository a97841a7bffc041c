"""Greedy expected information gain per cost: the strongest classical policy.

Candidates are a Sobol set; the best are refined by perturbations on many scales at once (the best design next to a
source may be a thousandth of the range wide), then by following the gradient through the laws; the finalists are scored
once more with more hypotheses. Several designs at a time are chosen one after the other, each for what it adds to those
before: greedy, and for information never worse than 1 − 1/e of the best set (Krause & Guestrin 2005).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_learner.densities import listed_outcomes
from meta_learner.information import expected_information, pose
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled

_LEADING = 5  # candidates kept for the record


@dataclass(frozen=True)
class Search:
    """How candidates are searched.

    candidates: of the first, space-filling set, or all designs where they are few; rounds × refined: perturbations of
    the ``parents`` best, with sizes spread evenly in the logarithm from ``smallest`` to ``largest`` of the unit cube;
    ascents × settings: steps along the gradient from each of the ``climbers`` best; finalists: scored with all the
    hypotheses. single: in single precision, where that ranks designs as well.
    """

    candidates: int = 256
    rounds: int = 5
    refined: int = 48
    parents: int = 8
    smallest: float = 1e-3
    largest: float = 0.3
    ascents: int = 2
    climbers: int = 4
    finalists: int = 16
    coarse: int = (
        64  # hypotheses in the mixture while searching; as many more as cost no more where outcomes are listed
    )
    coarse_draws: int = 64
    final_draws: int = 128
    single: bool = True


class ExpectedInformationGain(Policy):
    """Lindley 1956; Foster et al. 2019 for the nested estimator. Scores: ``expected_information`` per unit of cost."""

    name = "expected-information-gain"
    hypotheses = 512

    def __init__(self, search: Search | None = None) -> None:
        self.search = search or Search()

    def choose(self, problem: DesignProblem) -> Choice:
        if problem.pool is not None:
            designs, allowed = pooled(problem, problem.pool)
            fine = _Scorer(problem, self.search.final_draws, single=self.search.single)
            return _best(designs, torch.where(allowed, fine.gain_per_cost(designs), -torch.inf))
        designs, scores = self._search(problem)
        finalists, _ = _top(designs, scores, self.search.finalists)
        fine = _Scorer(problem, self.search.final_draws, single=self.search.single)
        choice = _best(finalists, fine(finalists))
        affordable = choice.scores.isfinite().any(-1)
        designs = torch.where(affordable[:, None], choice.designs, problem.model.space.cheapest)
        return Choice(designs, choice.leading, choice.scores)

    def _search(self, problem: DesignProblem) -> tuple[Tensor, Tensor]:
        """All candidates tried [runs, candidates, columns] with their coarse scores [runs, candidates]."""
        search, space = self.search, problem.model.space
        few = space.every
        designs = space.sobol(search.candidates, problem.generator) if few is None else few
        designs = designs.expand(problem.runs, -1, -1)
        outcomes = listed_outcomes(problem.model, problem.hypotheses.first(_PROBED), designs)
        rows = (
            search.coarse if outcomes is None else max(search.coarse, search.coarse * search.coarse_draws // outcomes)
        )
        coarse = _Scorer(problem, search.coarse_draws, hypotheses=rows, single=search.single)
        scores = coarse(designs)
        for _ in range(search.rounds if few is None else 0):
            parents, _ = _top(designs, scores, search.parents)
            children = self._perturb(problem, parents)
            designs, scores = _joined(designs, scores, children, coarse(children))
        if search.ascents > 0 and coarse.differentiable:
            designs, scores = self._ascend(coarse, designs, scores)
        return designs, scores

    def _perturb(self, problem: DesignProblem, parents: Tensor) -> Tensor:
        """Perturbed copies [runs, refined, columns] of the parents [runs, parents, columns]."""
        search, space = self.search, problem.model.space
        repeated = parents.repeat(1, -(-search.refined // parents.shape[1]), 1)[:, : search.refined]
        span = torch.tensor(search.largest / search.smallest).log()
        draws = torch.rand((*repeated.shape[:2], 1), generator=problem.generator)
        return space.perturb(repeated, search.smallest * (draws * span).exp(), problem.generator)

    def _ascend(self, coarse: "_Scorer", designs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Steps of the unit cube along the normalised gradient, longer after each that helps, shorter after others."""
        space = coarse.problem.model.space
        start, best = _top(designs, scores, self.search.climbers)
        unit = space.encode(start)
        _, slope = coarse.with_gradient(unit)
        size = torch.full_like(best, _FIRST_STEP)
        for _ in range(self.search.ascents * len(space.names)):
            ahead = (unit + size[..., None] * slope).clamp(0.0, 1.0)
            found, steeper = coarse.with_gradient(ahead)
            better = found > best
            unit, slope = torch.where(better[..., None], ahead, unit), torch.where(better[..., None], steeper, slope)
            best, size = torch.where(better, found, best), size * torch.where(better, 2.0, 0.25)
        return _joined(designs, scores, space.decode(unit), best)


_FIRST_STEP = 0.02
_PROBED = 4  # hypotheses looked at to see how many outcomes there can be


class _Scorer:
    """Scores designs [runs, designs, columns]: expected information per cost; -inf where they are not allowed.

    The noise is the same for all designs of a decision.
    """

    def __init__(
        self, problem: DesignProblem, draws: int, *, hypotheses: int | None = None, single: bool = False
    ) -> None:
        few = problem.hypotheses if hypotheses is None else problem.hypotheses.first(hypotheses)
        self.problem, self._single = problem, single
        self._question = pose(problem.model, few, draws)
        if problem.pending.shape[1] > 0:
            self._question = self._question.after(problem.model, problem.pending, self._noise(1))

    def __call__(self, designs: Tensor) -> Tensor:
        return torch.where(self.problem.allowed(designs), self.gain_per_cost(designs), -torch.inf)

    def gain_per_cost(self, designs: Tensor) -> Tensor:
        gain = expected_information(self.problem.model, self._question, designs, self._noise(0), single=self._single)
        return gain / self.problem.model.space.cost(designs)

    @property
    def differentiable(self) -> bool:
        """Whether gradients reach a setting at a price worth paying: not through an integrator or a simulator."""
        model = self.problem.model
        return (
            model.simulator is None
            and any(design.kind == "real" for design in model.space.designs)
            and all(law.dynamics is None for law in model.domain.mechanisms)
        )

    def with_gradient(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [runs, designs] of points of the unit cube [runs, designs, columns]; their gradients, of length 1."""
        with torch.enable_grad():
            place = unit.detach().requires_grad_()
            designs = self.problem.model.space.decode(place)
            gain = self.gain_per_cost(designs)
            (slope,) = torch.autograd.grad(gain.sum(), place)
        slope = slope.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        length = slope.norm(dim=-1, keepdim=True)
        scores = torch.where(self.problem.allowed(designs.detach()), gain.detach(), -torch.inf)
        return scores, torch.where(length > 0, slope / length, 0.0)

    def _noise(self, which: int) -> torch.Generator:
        return torch.Generator().manual_seed((self.problem.scoring + which) % 2**63)


def _joined(designs: Tensor, scores: Tensor, more: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    return torch.cat([designs, more], dim=1), torch.cat([scores, theirs], dim=1)


def _top(designs: Tensor, scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` best of designs [runs, designs, columns] with their scores, best first."""
    best, index = scores.topk(min(count, scores.shape[1]), dim=-1)
    return designs.gather(1, index[..., None].expand(-1, -1, designs.shape[2])), best


def _best(designs: Tensor, scores: Tensor) -> Choice:
    leading, best = _top(designs, scores, _LEADING)
    return Choice(leading[:, 0], leading, best)
