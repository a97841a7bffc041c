"""What is believed: weighted particles per mechanism, evidence per mechanism, and how far to trust them.

A belief holds a whole block of runs. It is a pure fold of ``smc.update`` over the recorded experiments.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from domains.simulators import ExactSimulator, Posterior
from domains.worlds import DomainModel
from meta_learner.criticism import Criticism, no_criticism

MATTERS = 0.01  # the probability above which a mechanism's particles must be in good order


@dataclass(frozen=True)
class BeliefSettings:
    """How a belief is computed.

    particles: per mechanism and run. moves: MCMC moves after each resampling. threshold: resample when the effective
    sample size falls below this share of the particles.
    """

    particles: int = 2000
    moves: int = 5
    threshold: float = 0.5


@dataclass(frozen=True)
class Population:
    """One mechanism's particles for every run of a block.

    z [runs, particles, dims] unconstrained; log_weight [runs, particles], normalised; log_likelihood [runs, particles]
    of all experiments so far; log_evidence [runs]: log p(outcomes | mechanism), -inf once the mechanism is impossible;
    log_scale [runs, 2]: adapted size of the two kinds of moves.
    """

    z: Tensor
    log_weight: Tensor
    log_likelihood: Tensor
    log_evidence: Tensor
    log_scale: Tensor


@dataclass(frozen=True)
class History:
    """The experiments so far: designs [runs, steps, columns], outcomes [runs, steps, outcomes]; NaN: nothing came."""

    designs: Tensor
    outcomes: Tensor

    @property
    def steps(self) -> int:
        return self.designs.shape[1]

    def append(self, designs: Tensor, outcomes: Tensor) -> "History":
        """With one more experiment a run: designs [runs, columns], outcomes [runs, outcomes]."""
        return History(
            torch.cat([self.designs, designs[:, None]], dim=1), torch.cat([self.outcomes, outcomes[:, None]], dim=1)
        )


@dataclass(frozen=True)
class Diagnostics:
    """After the last update, per run and mechanism [runs, mechanisms] but for the last.

    effective: the smallest effective sample size ÷ particles that any update so far came to; acceptance: of the last
    moves, a share; distinct: share of different particles after them; lost (boolean): the law mattered and was ruled
    out since none of its particles could give an outcome; tail [runs, outcomes]: two-sided posterior-predictive tail
    probability of the newest outcome.
    """

    effective: Tensor
    acceptance: Tensor
    distinct: Tensor
    lost: Tensor
    tail: Tensor


@dataclass(frozen=True)
class Belief:
    """The belief over (mechanism, parameters) of every run of a block. log_prior [mechanisms].

    posterior: where the laws know it in closed form; there are no populations then.
    """

    populations: tuple[Population, ...]
    log_prior: Tensor
    history: History
    diagnostics: Diagnostics
    criticism: Criticism
    posterior: Posterior | None = None

    @cached_property
    def log_probability(self) -> Tensor:
        """log P(mechanism | experiments) [runs, mechanisms].

        Where no mechanism can explain what came back, the prior probabilities, and ``explained`` is false.
        """
        joint = self.log_joint
        return torch.where(self.explained[:, None], joint, self.log_prior).log_softmax(-1)

    @property
    def log_joint(self) -> Tensor:
        """log P(mechanism) + log p(outcomes | mechanism) [runs, mechanisms]."""
        if self.posterior is not None:
            return self.log_prior + self.posterior.log_evidence
        return self.log_prior + torch.stack([population.log_evidence for population in self.populations], dim=-1)

    @property
    def log_evidence(self) -> Tensor:
        """log p(outcomes) [runs] under the whole domain."""
        return self.log_joint.logsumexp(-1)

    @property
    def explained(self) -> Tensor:
        """Whether any mechanism can have produced what came back [runs]."""
        return self.log_joint.isfinite().any(-1)

    @property
    def surprised(self) -> Tensor:
        """Whether what came back speaks against all laws [runs]: of worlds of the domain at most 5 % ever do."""
        return self.criticism.alarm | ~self.explained

    @property
    def trusted(self) -> Tensor:
        """Whether the particles of every mechanism that matters are in good order, and none was lost [runs]."""
        health = self.diagnostics
        sick = (health.effective < 0.05) | (health.distinct < 0.1) | (health.acceptance < 0.01)
        matters = self.log_probability.exp() > MATTERS
        return self.explained & ~((matters & sick) | health.lost).any(-1)


def prior_belief(model: DomainModel, runs: int, settings: BeliefSettings, generator: torch.Generator) -> Belief:
    """The belief before any experiment: draws from each mechanism's prior, or the closed form where there is one."""
    columns, outcomes = len(model.space.names), len(model.outcome_names)
    history = History(
        torch.empty((runs, 0, columns), dtype=torch.float64), torch.empty((runs, 0, outcomes), dtype=torch.float64)
    )
    ones = torch.ones((runs, len(model.mechanisms)), dtype=torch.float64)
    diagnostics = Diagnostics(ones, ones, ones, ones < 0, torch.ones((runs, outcomes), dtype=torch.float64))
    criticism = no_criticism(runs, len(model.mechanisms), outcomes)
    if isinstance(model.simulator, ExactSimulator):
        posterior = model.simulator.posterior(history.designs, history.outcomes)
        return Belief((), model.log_weights, history, diagnostics, criticism, posterior)
    shape = (runs, settings.particles)
    populations = tuple(
        Population(
            z=mechanism.sample_prior(shape, generator),
            log_weight=torch.full(shape, -math.log(settings.particles), dtype=torch.float64),
            log_likelihood=torch.zeros(shape, dtype=torch.float64),
            log_evidence=torch.zeros(runs, dtype=torch.float64),
            log_scale=torch.zeros((runs, 2), dtype=torch.float64),
        )
        for mechanism in model.mechanisms
    )
    return Belief(populations, model.log_weights, history, diagnostics, criticism)
