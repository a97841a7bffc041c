"""Expected improvement over a Gaussian process: the optimiser that knows no laws (Jones, Schonlau & Welch 1998, EGO).

It sees designs and what came back, read as the objective (``domains.readings``), for goals maximise and minimise.
EI(x) = E[max(f(x) − f⁺, 0)] with f the noise-free function and, since readings are noisy, f⁺ the largest posterior
mean at a design tried (Picheny, Wagner & Ginsbourger 2013); per cost where designs differ in it (Snoek, Larochelle &
Adams 2012). In logarithms throughout (Ament et al. 2023), so that flat regions still have an order.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.special import erfcx

from domains.design_space import DesignSpace
from domains.document import GoalKind
from domains.worlds import DomainModel
from meta_learner.belief import History
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled
from meta_learner.policies.gaussian_process import GaussianProcess, features, prepare, readings
from meta_learner.policies.sobol import Sobol

_LEADING = 5  # candidates kept for the record
_CANDIDATES = 512
_SIZES = (0.1, 0.03, 0.01, 0.003)  # of perturbations, in the unit cube, one a round
_PARENTS, _CHILDREN = 4, 16
_LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)

Score = Callable[[Tensor], Tensor]  # designs [runs, designs, columns] → [runs, designs], -inf for those not to take


class ExpectedImprovement(Policy):
    """Scores: log expected improvement − log cost. The first 2 × columns designs (at least 3) are a Sobol sequence."""

    name = "expected-improvement"
    goals: tuple[GoalKind, ...] = ("maximise", "minimise")

    def __init__(self) -> None:
        prepare()

    def choose(self, problem: DesignProblem) -> Choice:
        model, columns = problem.model, len(problem.model.space.names)
        values = readings(model, problem.belief.history)
        if problem.step < max(3, 2 * columns):
            return Sobol().choose(problem)
        paid = model.space.available(model.space.cheapest, problem.remaining)  # the others have ended: nothing to fit
        surfaces = _surfaces(problem, torch.where(paid[:, None], values, torch.nan))

        def score(designs: Tensor) -> Tensor:
            gain = surfaces.log_improvement(designs) - model.space.cost(designs).log()
            return torch.where(problem.allowed(designs), gain, -torch.inf)

        if problem.pool is not None:
            designs, allowed = pooled(problem, problem.pool)
            return _best(designs, torch.where(allowed, score(designs), -torch.inf))
        choice = _best(*search(model.space, score, problem.runs, problem.generator))
        affordable = choice.scores[:, :1].isfinite()
        return Choice(torch.where(affordable, choice.designs, model.space.cheapest), choice.leading, choice.scores)


def _surfaces(problem: DesignProblem, values: Tensor) -> "Surfaces":
    """The regressions of a decision. Designs of the batch that were chosen before are taken to read what is expected of
    them, so that the next goes elsewhere (the kriging believer: Ginsbourger, Le Riche & Carraro 2010)."""
    model, history, pending = problem.model, problem.belief.history, problem.pending
    surfaces = Surfaces(model, history, values)
    if pending.shape[1] == 0:
        return surfaces
    known = values.isfinite().any(-1, keepdim=True)
    believed = torch.where(known, surfaces.mean(pending), torch.nan)
    outcomes = torch.full((*pending.shape[:2], history.outcomes.shape[2]), torch.nan, dtype=torch.float64)
    ahead = History(torch.cat([history.designs, pending], dim=1), torch.cat([history.outcomes, outcomes], dim=1))
    return Surfaces(model, ahead, torch.cat([values, believed], dim=1))


class Surfaces:
    """Each run's regression of its readings [runs, steps]; a run that has no reading yet knows nothing."""

    def __init__(self, model: DomainModel, history: History, values: Tensor) -> None:
        self._space = model.space
        inputs = features(model.space, history.designs)
        self._processes: list[GaussianProcess | None] = []
        self._incumbents: list[float] = []
        for x, y in zip(inputs, values, strict=True):
            came = y.isfinite()
            process = GaussianProcess(x[came], y[came]) if bool(came.any()) else None
            self._processes.append(process)
            self._incumbents.append(process.posterior(x[came])[0].max().item() if process else 0.0)

    def mean(self, designs: Tensor) -> Tensor:
        """Posterior mean [runs, designs] at designs [runs, designs, columns]; 0 without readings."""
        return self._posterior(designs)[0]

    def log_improvement(self, designs: Tensor) -> Tensor:
        """log EI [runs, designs] at designs [runs, designs, columns]."""
        mean, sd = self._posterior(designs)
        incumbent = torch.tensor(self._incumbents, dtype=torch.float64)[:, None]
        return sd.log() + log_standard_improvement((mean - incumbent) / sd)

    def _posterior(self, designs: Tensor) -> tuple[Tensor, Tensor]:
        inputs = features(self._space, designs)
        nothing = torch.zeros(designs.shape[1], dtype=torch.float64), torch.ones(designs.shape[1], dtype=torch.float64)
        pairs = [p.posterior(x) if p else nothing for p, x in zip(self._processes, inputs, strict=True)]
        mean, sd = zip(*pairs, strict=True)
        return torch.stack(mean), torch.stack(sd)


def log_standard_improvement(z: Tensor) -> Tensor:
    """log(φ(z) + z Φ(z)) for z of any size.

    Below −1: log φ(z) + log(1 − |z| r), r = √(π/2) erfcx(|z|/√2), Mills's ratio; below −1e4: 1 − |z| r → 1/z².
    """
    density = -0.5 * z.square() - _LOG_ROOT_2PI
    near = (density.exp() + z * torch.special.ndtr(z)).clamp_min(1e-300).log()
    away = z.clamp_max(-1.0).abs()
    rest = 1 - away * math.sqrt(math.pi / 2) * erfcx(away / math.sqrt(2))
    far = density + torch.where(away > 1e4, -2 * away.log(), rest.clamp_min(1e-300).log())
    return torch.where(z > -1, near, far)


def recommend(model: DomainModel, history: History, generator: torch.Generator) -> Tensor:
    """Where the regression's posterior mean is largest [runs, columns]: what the lawless would recommend."""
    surfaces = Surfaces(model, history, readings(model, history))

    def score(designs: Tensor) -> Tensor:
        return torch.where(model.space.feasible(designs), surfaces.mean(designs), -torch.inf)

    return _best(*search(model.space, score, history.designs.shape[0], generator)).designs


def search(space: DesignSpace, score: Score, runs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Designs tried [runs, designs, columns] with their scores: a Sobol set, then perturbations of the best."""
    designs = space.sobol(_CANDIDATES, generator).expand(runs, -1, -1)
    scores = score(designs)
    for size in _SIZES:
        parents, _ = _top(designs, scores, _PARENTS)
        children = space.perturb(parents.repeat(1, _CHILDREN, 1), size, generator)
        designs, scores = torch.cat([designs, children], dim=1), torch.cat([scores, score(children)], dim=1)
    return designs, scores


def _top(designs: Tensor, scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    best, index = scores.topk(min(count, scores.shape[1]), dim=-1)
    return designs.gather(1, index[..., None].expand(-1, -1, designs.shape[2])), best


def _best(designs: Tensor, scores: Tensor) -> Choice:
    leading, best = _top(designs, scores, _LEADING)
    return Choice(leading[:, 0], leading, best)
