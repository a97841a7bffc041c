"""Worlds from the prior as columns of a table: what all of them say of the experiments of all episodes.

Shapes: ``[episodes, contrasts]``, ``[contrasts, designs]``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from domains.mechanisms import MechanismModel
from domains.simulators import Parameters
from domains.worlds import DomainModel, Worlds

Law = Callable[[MechanismModel, Parameters, Tensor], Tensor]


def chosen(worlds: Worlds, rows: slice) -> Worlds:
    """Some of the worlds."""
    return Worlds(worlds.mechanism[rows], tuple({n: v[rows] for n, v in each.items()} for each in worlds.parameters))


@dataclass(frozen=True)
class _Members:
    """The contrasts of one law: how many, and their parameters name → [members]."""

    law: MechanismModel
    count: int
    parameters: dict[str, Tensor]


class Contrasts:
    """Worlds in the order of their laws; mechanism [contrasts]: which law is whose."""

    def __init__(self, model: DomainModel, worlds: Worlds) -> None:
        self.mechanism = worlds.mechanism.sort(stable=True).values
        self._members = []
        for index in self.mechanism.unique().tolist():
            rows = (worlds.mechanism == index).nonzero()[:, 0]
            values = {name: value[rows] for name, value in worlds.parameters[index].items()}
            self._members.append(_Members(model.mechanisms[index], len(rows), values))

    def __len__(self) -> int:
        return len(self.mechanism)

    def log_likelihood(self, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcomes | contrast, designs) [episodes, contrasts]; designs [episodes, columns]."""
        parts = [
            each.law.log_likelihood(each.parameters, designs[:, None], outcomes[:, None]).expand(-1, each.count)
            for each in self._members
        ]
        return torch.cat(parts, dim=1)

    def of_designs(self, designs: Tensor, law: Law) -> Tensor:
        """A function of (mechanism, parameters, designs [1, designs, columns]) → [contrasts, designs]."""
        parts = []
        for each in self._members:
            parameters = {name: value[:, None] for name, value in each.parameters.items()}
            parts.append(law(each.law, parameters, designs[None]).expand(each.count, len(designs)))
        return torch.cat(parts)

    def values(self, names: list[str]) -> Tensor:
        """The values of parameters that every law has [contrasts, names]."""
        return torch.cat([torch.stack([each.parameters[name] for name in names], dim=-1) for each in self._members])
