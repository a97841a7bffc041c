"""The laws of a Python domain: what its author writes, and how the rest of Organon sees it.

``Simulator`` asks for a sampler and a log-likelihood, both batched. ``ExactSimulator`` also knows its posterior in
closed form: then no particles are needed, and a law's unknowns are integrated out.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Generator, Tensor

Parameters = Mapping[str, Tensor]


class Simulator(ABC):
    """A sampler and a log-likelihood for every mechanism of a document.

    Parameters are name → [...] (of a vector, ``name[0]`` …; constants too), designs [..., columns] in the document's
    order (a choice is its option's index), outcomes [..., outcomes]; the leading shapes broadcast. float64. Rows never
    depend on each other, nor on anything but the arguments.
    """

    @abstractmethod
    def sample(self, mechanism: str, parameters: Parameters, designs: Tensor, uniforms: Tensor) -> Tensor:
        """Outcomes [..., outcomes] as a function of uniform draws in (0, 1): uniforms [..., outcomes, 2].

        A simulator that needs more draws seeds its own stream with them.
        """

    @abstractmethod
    def log_likelihood(self, mechanism: str, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcomes | parameters, designs) [...], nats. NaN marks a missing outcome: integrate it out."""

    def expectation(self, mechanism: str, parameters: Parameters, designs: Tensor) -> Tensor:
        """E[outcomes | parameters, designs] [..., outcomes]; only goal predict asks for it."""
        raise NotImplementedError(f"{type(self).__name__} gives no expectation, which goal predict needs")


@dataclass(frozen=True)
class Posterior:
    """What the experiments of every run say, in closed form.

    log_evidence [runs, mechanisms]: log p(outcomes | mechanism), nats; statistics [runs, …]: whatever the predictive
    needs.
    """

    log_evidence: Tensor
    statistics: Tensor


@dataclass(frozen=True)
class Marginal:
    """One parameter under one mechanism, for every run [runs]: mean, sd, and the 5 % and 95 % quantiles."""

    mean: Tensor
    sd: Tensor
    low90: Tensor
    high90: Tensor


class ExactSimulator(Simulator):
    """A simulator that knows its posterior in closed form: no particles, and each law's unknowns are integrated out.

    For goal discriminate. An experiment with a missing outcome may be left out as a whole.
    """

    @abstractmethod
    def posterior(self, designs: Tensor, outcomes: Tensor) -> Posterior:
        """From all experiments: designs [runs, steps, columns], outcomes [runs, steps, outcomes], NaN where missing."""

    @abstractmethod
    def predictive_sample(self, statistics: Tensor, mechanism: Tensor, designs: Tensor, uniforms: Tensor) -> Tensor:
        """Next outcomes [runs, draws, designs, outcomes] under mechanism [runs, draws], its unknowns integrated out.

        designs [runs, designs, columns], uniforms [draws, outcomes, 2], the same for every design.
        """

    @abstractmethod
    def predictive_log_density(
        self, statistics: Tensor, mechanism: Tensor, designs: Tensor, outcomes: Tensor
    ) -> Tensor:
        """log p(next outcomes | experiments, mechanism) [runs, draws, rows, designs], nats.

        outcomes [runs, draws, designs, outcomes] under every mechanism [runs, rows].
        """

    @abstractmethod
    def predictive_tails(self, statistics: Tensor, designs: Tensor, outcomes: Tensor) -> tuple[Tensor, Tensor]:
        """P(Y ≤ y) and P(Y ≥ y) of each next outcome under each law [runs, mechanisms, outcomes], its unknowns
        integrated out; each may be given others that came with it, in an order that the law chooses (Rosenblatt
        1952). designs [runs, columns]; both 1 where the design leaves nothing to chance."""

    @abstractmethod
    def draw(self, statistics: Tensor, mechanism: int, generator: Generator) -> Parameters:
        """Parameter name → one draw from its posterior under one mechanism, for every run [runs]."""

    @abstractmethod
    def marginals(self, statistics: Tensor, mechanism: int) -> Mapping[str, Marginal]:
        """Parameter name → its posterior under one mechanism, in every run."""
