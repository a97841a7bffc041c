"""Greedy expected information gain per cost: the strongest classical policy.

Candidates are a Sobol set; the best are refined by perturbations on many scales at once (the best design next to a
source may be a thousandth of the range wide), then by following the gradient through the laws; the finalists are scored
once more with more hypotheses. Several designs at a time are chosen one after the other, each for what it adds to those
before: greedy, and for information never worse than 1 − 1/e of the best set (Krause & Guestrin 2005).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from domains import randomness
from meta_learner.densities import Ways, affordable
from meta_learner.hypotheses import Hypotheses
from meta_learner.information import information_under, pose, stratified
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled

_LEADING = 5  # candidates kept for the record


@dataclass(frozen=True)
class Search:
    """How candidates are searched.

    candidates: of the first, space-filling set, or all designs where they are few; rounds, and one more a setting, ×
    refined: perturbations of the ``parents`` best, with sizes spread evenly in the logarithm from ``smallest`` to
    ``largest`` of the unit cube; ascents × settings: steps along the gradient from each of the ``climbers`` best;
    finalists: scored with all the hypotheses. single: in single precision, where that ranks designs as well; grid:
    normal outcomes on a grid where all hypotheses share the noise.
    """

    candidates: int = 256
    rounds: int = 1
    refined: int = 48
    parents: int = 8
    smallest: float = 1e-3
    largest: float = 0.3
    ascents: int = 1
    climbers: int = 4
    finalists: int = 16
    coarse: int = 64  # hypotheses in the mixture while searching, and outcomes; more where none need to be drawn
    coarse_draws: int = 64
    final_draws: int = 128
    single: bool = True
    grid: bool = True


class ExpectedInformationGain(Policy):
    """Lindley 1956; Foster et al. 2019 for the nested estimator. Scores: ``expected_information`` per unit of cost."""

    name = "expected-information-gain"
    hypotheses = 512

    def __init__(self, search: Search | None = None) -> None:
        self.search = search or Search()

    def choose(self, problem: DesignProblem) -> Choice:
        choice = best(*self.finalists(problem))
        if problem.pool is not None:
            return choice
        affordable = choice.scores.isfinite().any(-1)
        designs = torch.where(affordable[:, None], choice.designs, problem.model.space.cheapest)
        return Choice(designs, choice.leading, choice.scores)

    def finalists(self, problem: DesignProblem) -> tuple[Tensor, Tensor]:
        """The best candidates found, or all that a pool offers [runs, designs, columns], and their scores [runs,
        designs] by all the hypotheses; -inf where a design is not allowed."""
        fine = _Scorer(problem, problem.hypotheses, self.search.final_draws, self.search)
        if problem.pool is not None:
            designs, allowed = pooled(problem, problem.pool)
            return designs, torch.where(allowed, fine.gain_per_cost(designs), -torch.inf)
        designs, _ = top(*self._search(problem), self.search.finalists)
        return designs, fine(designs)

    def _search(self, problem: DesignProblem) -> tuple[Tensor, Tensor]:
        """All candidates tried [runs, candidates, columns] with their coarse scores [runs, candidates]."""
        search, space = self.search, problem.model.space
        every = space.every
        designs = space.sobol(search.candidates, problem.generator) if every is None else every
        designs = designs.expand(problem.runs, -1, -1)
        few = self._looked_at(problem, designs)
        coarse = _Scorer(problem, few, search.coarse_draws, search, blurred=True)
        scores = coarse(designs)
        for _ in range(search.rounds + len(space.names) if every is None else 0):
            parents, _ = top(designs, scores, search.parents)
            children = self._perturb(problem, parents)
            designs, scores = _joined(designs, scores, children, coarse(children))
        if search.ascents > 0 and coarse.differentiable:
            designs, scores = self._ascend(coarse, designs, scores)
        return designs, scores

    def _looked_at(self, problem: DesignProblem, designs: Tensor) -> Hypotheses:
        """The hypotheses that candidates are ranked by: more, where more cost no more."""
        search, probed = self.search, problem.hypotheses.first(_PROBED)
        ways = pose(problem.model, probed, 1).ways if problem.pending.shape[1] == 0 else Ways()
        ways = replace(ways, shifted=ways.shifted and search.grid)
        pairs = search.coarse * search.coarse_draws
        return problem.hypotheses.first(affordable(problem.model, probed, designs, ways, pairs=pairs))

    def _perturb(self, problem: DesignProblem, parents: Tensor) -> Tensor:
        """Perturbed copies [runs, refined, columns] of the parents [runs, parents, columns]."""
        search, space = self.search, problem.model.space
        repeated = parents.repeat(1, -(-search.refined // parents.shape[1]), 1)[:, : search.refined]
        span = math.log(search.largest / search.smallest)
        draws = randomness.uniform((*repeated.shape[:2], 1), problem.generator, torch.float32)
        return space.perturb(repeated, search.smallest * (draws * span).exp(), problem.generator)

    def _ascend(self, coarse: "_Scorer", designs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Steps along the normalised gradient through the unit cube: the best of several sizes, around the last one
        that helped."""
        space = coarse.problem.model.space
        start, most = top(designs, scores, self.search.climbers)
        unit, strides = space.encode(start), torch.tensor(_STRIDES, dtype=torch.float64)
        size = torch.full_like(most, _FIRST_STEP)
        for _ in range(self.search.ascents * len(space.names)):
            steps = size[..., None] * strides
            ahead = (unit[:, :, None] + steps[..., None] * coarse.gradient(unit)[:, :, None]).clamp(0.0, 1.0)
            found, which = coarse(space.decode(ahead).flatten(1, 2)).unflatten(1, steps.shape[1:]).max(-1)
            better = found > most
            there = ahead.gather(2, which[..., None, None].expand(-1, -1, 1, unit.shape[-1]))[:, :, 0]
            unit, most = torch.where(better[..., None], there, unit), torch.where(better, found, most)
            size = torch.where(better, steps.gather(2, which[..., None])[..., 0], size * _SHORTER)
        return _joined(designs, scores, space.decode(unit), most)


_FIRST_STEP = 0.02
_STRIDES = (0.2, 1.0, 5.0)
_SHORTER = 0.04  # after steps of which none helped
_PROBED = 4  # hypotheses looked at to see how many outcomes there can be


class _Scorer:
    """Scores designs [runs, designs, columns]: expected information per cost; -inf where they are not allowed.

    The noise is the same for all designs of a decision.
    """

    def __init__(
        self, problem: DesignProblem, hypotheses: Hypotheses, draws: int, search: Search, *, blurred: bool = False
    ) -> None:
        self.problem = problem
        self._ways = {"single": search.single, "grid": search.grid, "blurred": blurred}
        self._noise = stratified(draws, len(problem.model.outcome_names), _stream(problem, 0))
        self._question = pose(problem.model, hypotheses, draws)
        if problem.pending.shape[1] > 0:
            self._question = self._question.after(problem.model, problem.pending, _stream(problem, 1))

    def __call__(self, designs: Tensor) -> Tensor:
        return torch.where(self.problem.allowed(designs), self.gain_per_cost(designs), -torch.inf)

    def gain_per_cost(self, designs: Tensor) -> Tensor:
        model = self.problem.model
        gain = information_under(self._noise, model, self._question, designs, **self._ways)
        return gain / model.space.cost(designs)

    @property
    def differentiable(self) -> bool:
        """Whether gradients reach a setting at a price worth paying: not through an integrator or a simulator."""
        model = self.problem.model
        return (
            model.simulator is None
            and any(design.kind == "real" for design in model.space.designs)
            and all(law.dynamics is None for law in model.domain.mechanisms)
        )

    def gradient(self, unit: Tensor) -> Tensor:
        """Of the scores of points [runs, designs, columns] of the unit cube: their slopes, of length 1, or 0."""
        with torch.enable_grad():
            place = unit.detach().requires_grad_()
            gain = self.gain_per_cost(self.problem.model.space.decode(place))
            (slope,) = torch.autograd.grad(gain.sum(), place)
        slope = slope.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        return slope / slope.norm(dim=-1, keepdim=True).clamp_min(1e-300)


def _stream(problem: DesignProblem, which: int) -> torch.Generator:
    return randomness.generator((problem.scoring + which) % 2**63)


def _joined(designs: Tensor, scores: Tensor, more: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    return torch.cat([designs, more], dim=1), torch.cat([scores, theirs], dim=1)


def top(designs: Tensor, scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` best of designs [runs, designs, columns] with their scores, best first."""
    highest, index = scores.topk(min(count, scores.shape[1]), dim=-1)
    return designs.gather(1, index[..., None].expand(-1, -1, designs.shape[2])), highest


def best(designs: Tensor, scores: Tensor) -> Choice:
    """The design with the highest score [runs, designs], and those that follow."""
    leading, highest = top(designs, scores, _LEADING)
    return Choice(leading[:, 0], leading, highest)
