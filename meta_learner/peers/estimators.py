"""Pyro's estimators of expected information gain (pyro.contrib.oed.eig) over our beliefs and candidates.

The prior of the next experiment is the present belief: a hypothesis's index from Categorical(weights), over the same
hypotheses that ``expected-information-gain`` would use; the outcome follows that hypothesis's law. Candidates are one
Sobol set without refinement, for every estimator the same, so that only the estimator differs.

E[log p(y | θ) − log 1/M Σ_m p(y | θ_m)], θ_m drawn anew (Rainforth et al. 2018).
"""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from domains import randomness
from domains.document import GoalKind
from domains.outcomes import Arguments, OutcomeFamily, inside
from domains.worlds import DomainModel
from meta_learner.hypotheses import predict
from meta_learner.information import expected_information, pose
from meta_learner.peers.quiet import quiet
from meta_learner.policies.base import Choice, DesignProblem, Policy, pooled

with quiet():
    import pyro
    from pyro import distributions
    from pyro.contrib.oed import eig
    from pyro.distributions import TorchDistribution

_CANDIDATES = 256
_OUTER, _INNER = 128, 512  # draws of an outcome, and of hypotheses to judge it by: those of ours
_AT_ONCE = 16  # designs
_LEADING = 5


class _Scored(Policy):
    """The best of one Sobol set, per cost, by an estimator of its own."""

    hypotheses = 512
    goals: tuple[GoalKind, ...] = ("learn",)

    def choose(self, problem: DesignProblem) -> Choice:
        space = problem.model.space
        if problem.pool is not None:
            designs, allowed = pooled(problem, problem.pool)
        else:
            designs = space.sobol(_CANDIDATES, problem.generator).expand(problem.runs, -1, -1)
            allowed = problem.allowed(designs)
        scores = torch.where(allowed, self.gain(problem, designs) / space.cost(designs), -torch.inf)
        best, index = scores.topk(min(_LEADING, scores.shape[1]), dim=-1)
        leading = designs.gather(1, index[..., None].expand(-1, -1, designs.shape[2]))
        affordable = best[:, :1].isfinite()
        return Choice(torch.where(affordable, leading[:, 0], space.cheapest), leading, best)

    @abstractmethod
    def gain(self, problem: DesignProblem, designs: Tensor) -> Tensor:
        """Expected information [runs, designs] of designs [runs, designs, columns], nats."""


class OurNestedMonteCarlo(_Scored):
    """Our estimator on these candidates: stratified noise, the whole table of hypotheses, shared by all designs."""

    name = "organon-estimator"

    def gain(self, problem: DesignProblem, designs: Tensor) -> Tensor:
        question = pose(problem.model, problem.hypotheses, _OUTER)
        return expected_information(problem.model, question, designs, randomness.generator(problem.scoring))


class PyroNestedMonteCarlo(_Scored):
    """``nmc_eig``."""

    name = "pyro-nmc"

    def gain(self, problem: DesignProblem, designs: Tensor) -> Tensor:
        return _by_run(problem, designs, self._estimate)

    @staticmethod
    def _estimate(model: Callable[[Tensor], None], places: Tensor) -> Tensor:
        found: Tensor = eig.nmc_eig(model, places, ["y"], ["hypothesis"], N=_OUTER, M=_INNER)
        return found


def applies(model: DomainModel) -> bool:
    """Whether these estimators do: to learn everything, one law with one outcome, whose density is known."""
    goal = model.domain.goal
    single = len(model.mechanisms) == 1 and len(model.columns) == 1
    return goal.kind == "learn" and not goal.parameters and single


Estimate = Callable[[Callable[[Tensor], None], Tensor], Tensor]


def _by_run(problem: DesignProblem, designs: Tensor, estimate: Estimate) -> Tensor:
    """An estimate of every run's designs, some at a time: Pyro's models know no runs."""
    (arguments,) = predict(problem.model, problem.hypotheses, designs)
    (column,) = problem.model.columns
    gains = torch.empty(designs.shape[:2], dtype=torch.float64)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(problem.scoring % 2**63)
        for run in range(problem.runs):
            table = tuple(argument[run].expand(problem.hypotheses.mechanism.shape[1], -1) for argument in arguments)
            model = _model(column.family, table, problem.hypotheses.log_weight[run])
            for places in torch.arange(designs.shape[1]).split(_AT_ONCE):
                gains[run, places] = estimate(model, places).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    return gains


def _model(family: OutcomeFamily, table: Arguments, log_weight: Tensor) -> Callable[[Tensor], None]:
    """A Pyro model of one run's next outcome; a design is its place [...] among the candidates."""

    def model(places: Tensor) -> None:
        prior = distributions.Categorical(logits=log_weight).expand(places.shape)
        hypothesis = pyro.sample("hypothesis", prior)
        arguments = tuple(argument[hypothesis, places] for argument in table)
        pyro.sample("y", _OutcomeDistribution(family, arguments))

    return model


class _OutcomeDistribution(TorchDistribution):
    """One of our outcome families as Pyro wants it; arguments of one shape [...]."""

    arg_constraints: dict[str, object] = {}  # noqa: RUF012 (the name and kind are torch's)
    has_rsample = False

    def __init__(self, family: OutcomeFamily, arguments: Arguments) -> None:
        self._family = family
        self._arguments = torch.broadcast_tensors(*arguments)
        super().__init__(self._arguments[0].shape, validate_args=False)

    def sample(self, sample_shape: torch.Size = torch.Size()) -> Tensor:  # noqa: B008 (torch's signature)
        shape = (*sample_shape, *self.batch_shape)
        uniforms = inside(randomness.uniform((*shape, 2), torch.default_generator))
        return self._family.sample(tuple(argument.expand(shape) for argument in self._arguments), uniforms)

    def log_prob(self, value: Tensor) -> Tensor:
        return self._family.log_density(value, self._arguments)
