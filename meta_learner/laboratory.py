"""Who runs experiments, as the step sees it, and the simulated one."""

from typing import Protocol

from torch import Tensor

from domains.worlds import DomainModel, Worlds
from meta_learner.belief import History
from meta_learner.policies.base import Pool
from meta_learner.streams import stream


class Laboratory(Protocol):
    """Runs one experiment for every run of a block."""

    worlds: Worlds | None  # the hidden truth, where there is one; never shown to a policy

    def pool(self, history: History) -> Pool | None:
        """The designs that exist and are left after ``history``; None where all of the design space is open."""

    def perform(self, designs: Tensor, history: History) -> Tensor:
        """Outcomes [runs, outcomes] at designs [runs, columns], after ``history``."""


class Simulation:
    """A laboratory that draws a world for each run and simulates. Its streams do not depend on the policy."""

    def __init__(self, model: DomainModel, *, seed: int, block: int, runs: int, worlds: Worlds | None = None) -> None:
        """worlds: those to simulate, where they are not to be drawn from the domain's distribution."""
        self._model, self._seed, self._block = model, seed, block
        self.worlds: Worlds | None = worlds or model.draw_worlds(runs, stream(seed, block, 0, "world"))

    def pool(self, history: History) -> Pool | None:
        del history
        return None

    def perform(self, designs: Tensor, history: History) -> Tensor:
        assert self.worlds is not None
        return self._model.simulate(self.worlds, designs, stream(self._seed, self._block, history.steps, "noise"))


def information(
    model: DomainModel, worlds: Worlds, designs: Tensor, outcomes: Tensor, log_predictive: Tensor
) -> Tensor:
    """Nats gained about the whole hypothesis [runs]: log p(y | truth) − log p(y | belief before)."""
    return model.log_likelihood(worlds, designs, outcomes) - log_predictive
