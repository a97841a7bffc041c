"""BoTorch's batch noisy expected improvement, in logarithms: qLogNoisyExpectedImprovement, as its authors set it up.

A Gaussian process per decision (SingleTaskGP with its own priors, outcomes standardised) on the unit cube, choices
one-hot; the acquisition (Ament et al. 2023; Balandat et al. 2020) is optimised from several starts by optimize_acqf,
for every combination of options in turn; per cost where designs differ in it. An optimum that constraints or the budget
forbid is rejected: the best allowed of a Sobol set takes its place.
"""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from domains import randomness
from domains.design_space import DesignSpace
from domains.document import GoalKind
from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.belief import History
from meta_learner.peers.quiet import quiet
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled
from meta_learner.policies.gaussian_process import features, readings
from meta_learner.policies.sobol import Sobol

with quiet():
    from botorch.acquisition import AcquisitionFunction, PosteriorMean
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.optim import optimize_acqf, optimize_acqf_mixed
    from botorch.sampling import SobolQMCNormalSampler
    from gpytorch.mlls import ExactMarginalLogLikelihood

_SAMPLES = 128  # of the posterior, for the acquisition
_STARTS, _RAW = 4, 128  # optimisation: starts, chosen among so many Sobol points
_CANDIDATES = 512  # where the optimum is not allowed
_MOST_COMBINATIONS = 64  # of options, each with an optimisation of its own
_LEADING = 5


class NoisyExpectedImprovement(Policy):
    """Scores: the acquisition, log of expected improvement, − log cost. The first designs are those of
    ``expected-improvement``."""

    name = "botorch-qlognei"
    goals: tuple[GoalKind, ...] = ("maximise", "minimise")

    def choose(self, problem: DesignProblem) -> Choice:
        model = problem.model
        values = readings(model, problem.belief.history)
        if problem.step < max(3, 2 * len(model.space.names)):
            return Sobol().choose(problem)
        seed = randomness.seed(problem.generator)
        candidates, allowed = _candidates(problem)
        chosen, scores = [], []
        with _seeded(seed):
            for run in range(problem.runs):
                design, score = _decide(problem, run, values[run], candidates[run][allowed[run]])
                chosen.append(design)
                scores.append(score)
        designs = torch.stack(chosen)
        return Choice(designs, designs[:, None], torch.tensor(scores, dtype=torch.float64)[:, None])


def recommend(model: DomainModel, history: History, seed: int) -> Tensor:
    """Where BoTorch's posterior mean is largest [runs, columns]."""
    values = readings(model, history)
    candidates = model.space.sobol(_CANDIDATES, randomness.generator(seed))
    chosen = []
    with _seeded(seed):
        for run, value in enumerate(values):
            came = value.isfinite()
            process = _fit(features(model.space, history.designs[run][came]), value[came])
            mean = PosteriorMean(process)
            chosen.append(_optimise(model.space, mean, candidates, torch.tensor(torch.inf, dtype=torch.float64))[0])
    return torch.stack(chosen)


def _candidates(problem: DesignProblem) -> tuple[Tensor, Tensor]:
    """A Sobol set or the pool [runs, designs, columns], and what of it is allowed [runs, designs]."""
    if problem.pool is not None:
        return pooled(problem, problem.pool)
    designs = problem.model.space.sobol(_CANDIDATES, problem.generator).expand(problem.runs, -1, -1)
    return designs, problem.allowed(designs)


def _decide(problem: DesignProblem, run: int, values: Tensor, candidates: Tensor) -> tuple[Tensor, float]:
    """One run's design [columns] and its score: values [steps], candidates [designs, columns], all allowed."""
    space, came = problem.model.space, values.isfinite()
    if len(candidates) == 0:
        return space.cheapest, -torch.inf
    if not bool(came.any()):
        return candidates[0], 0.0
    inputs = features(space, problem.belief.history.designs[run][came])
    acquisition = _PerCost(space, _acquisition(_fit(inputs, values[came]), inputs))
    if problem.pool is not None:
        return _best(space, acquisition, candidates)
    return _optimise(space, acquisition, candidates, problem.remaining[run])


def _fit(inputs: Tensor, values: Tensor) -> SingleTaskGP:
    with quiet():
        process = SingleTaskGP(inputs, values[:, None])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(process.likelihood, process))
    return process


def _acquisition(process: SingleTaskGP, inputs: Tensor) -> AcquisitionFunction:
    with quiet():
        sampler = SobolQMCNormalSampler(torch.Size([_SAMPLES]), seed=0)
        return qLogNoisyExpectedImprovement(process, inputs, sampler=sampler, prune_baseline=True)


class _PerCost(AcquisitionFunction):
    """log of (acquisition ÷ cost): inputs [batch, 1, inputs] → [batch]."""

    def __init__(self, space: DesignSpace, acquisition: AcquisitionFunction) -> None:
        super().__init__(model=acquisition.model)
        self.space, self.acquisition = space, acquisition

    def forward(self, inputs: Tensor) -> Tensor:
        return self.acquisition(inputs) - self.space.cost(_designs(self.space, inputs[:, 0])).log()


def _optimise(
    space: DesignSpace, acquisition: AcquisitionFunction, candidates: Tensor, remaining: Tensor
) -> tuple[Tensor, float]:
    """The optimum over the unit cube, or the best of the candidates where it is not allowed."""
    width = features(space, space.cheapest).shape[0]
    bounds = torch.tensor([[0.0], [1.0]], dtype=torch.float64).repeat(1, width)
    settings = {"bounds": bounds, "q": 1, "num_restarts": _STARTS, "raw_samples": _RAW, "options": {"maxiter": 100}}
    with quiet():
        if space.options:
            inputs, _ = optimize_acqf_mixed(acquisition, fixed_features_list=_combinations(space), **settings)
        else:
            inputs, _ = optimize_acqf(acquisition, **settings)
    optimum = _designs(space, inputs.detach())
    return _best(space, acquisition, optimum if bool(space.available(optimum, remaining)) else candidates)


def _best(space: DesignSpace, acquisition: AcquisitionFunction, designs: Tensor) -> tuple[Tensor, float]:
    with quiet(), torch.no_grad():
        values = acquisition(features(space, designs)[:, None])
    return designs[values.argmax()], values.max().item()


def _designs(space: DesignSpace, inputs: Tensor) -> Tensor:
    """Inputs [..., inputs] → designs [..., columns]: what ``features`` came from; of a choice the largest input."""
    unit, place = [], 0
    for design in space.designs:
        count = len(design.options) or 1
        part = inputs[..., place : place + count]
        unit.append((part.argmax(-1) + 0.5) / count if design.kind == "choice" else part[..., 0])
        place += count
    return space.decode(torch.stack(unit, dim=-1).to(torch.float64))


def _combinations(space: DesignSpace) -> list[dict[int, float]]:
    """Every combination of options, as fixed inputs; DomainError where they are too many."""
    parts, place = [], 0
    for design in space.designs:
        count = len(design.options) or 1
        if design.kind == "choice":
            parts.append([{place + i: float(i == option) for i in range(count)} for option in range(count)])
        place += count
    if math.prod(len(part) for part in parts) > _MOST_COMBINATIONS:
        raise DomainError(
            f"designs: more than {_MOST_COMBINATIONS} combinations of options, each an optimisation of its own"
        )
    return [{k: v for fixed in chosen for k, v in fixed.items()} for chosen in itertools.product(*parts)]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """torch's global stream, which BoTorch draws from, is this one inside and what it was outside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
