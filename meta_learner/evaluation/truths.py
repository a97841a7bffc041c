"""Worlds whose unconstrained z is known: what a bound needs of the truth."""

from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.worlds import DomainModel, Worlds


@dataclass(frozen=True)
class Truths:
    """One world a run. z [runs, dims] of every mechanism; only that of the mechanism that holds counts."""

    worlds: Worlds
    z: tuple[Tensor, ...]

    def rows(self, mechanism: int) -> Tensor:
        """The runs in which a mechanism holds."""
        return (self.worlds.mechanism == mechanism).nonzero()[:, 0]


def draw_truths(model: DomainModel, runs: int, generator: torch.Generator) -> Truths:
    """The worlds that ``DomainModel.draw_worlds`` draws from this stream, by the same draws in the same order."""
    mechanism = randomness.choices(model.log_weights.exp(), runs, generator)
    z = tuple(law.sample_prior((runs,), generator) for law in model.mechanisms)
    values = tuple(law.parameters(each) for law, each in zip(model.mechanisms, z, strict=True))
    return Truths(Worlds(mechanism, values), z)
