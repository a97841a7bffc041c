"""A laboratory that answers from a table of real measurements. Each row can be looked up once by each run."""

from collections.abc import Mapping

import torch
from torch import Tensor

from domains.measurements import read_replay
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import History
from meta_learner.given import as_tensors
from meta_learner.policies.base import Pool


class ReplayLaboratory:
    """Rows grouped by design; what is left follows from the history alone, so nothing needs to be remembered."""

    worlds: Worlds | None = None  # nobody knows the truth

    def __init__(self, designs: Tensor, outcomes: Tensor) -> None:
        """designs [rows, columns], outcomes [rows, outcomes] in the table's order."""
        self._distinct, place = torch.unique(designs, dim=0, return_inverse=True)
        self._count = torch.bincount(place, minlength=len(self._distinct))
        order = torch.argsort(place, stable=True)  # rows of one design together, in the table's order
        self._outcomes = outcomes[order]
        self._first = self._count.cumsum(0) - self._count

    @classmethod
    def read(cls, model: DomainModel, name: str, attachments: Mapping[str, str]) -> "ReplayLaboratory":
        """The replay of this name, its table's text among the attachments; DomainError where it does not fit."""
        table = read_replay(model.domain, name, text=attachments[model.domain.replays[name].file])
        return cls(*as_tensors(model, table))

    def pool(self, history: History) -> Pool:
        """The table's designs, with how many of their rows each run has left."""
        return Pool(self._distinct, self._count - self._used(history))

    def perform(self, designs: Tensor, history: History) -> Tensor:
        """The first unused row of each run's design [runs, columns]; NaN where there is none left."""
        match = (designs[:, None] == self._distinct).all(-1)
        place = match.to(torch.int8).argmax(-1)
        used = self._used(history)[torch.arange(len(place)), place]
        exists = match.any(-1) & (used < self._count[place])
        row = (self._first[place] + used).clamp_max(len(self._outcomes) - 1)
        return torch.where(exists[:, None], self._outcomes[row], torch.nan)

    def _used(self, history: History) -> Tensor:
        """How often each run has looked up each distinct design [runs, pool]; an ended run's rows do not count."""
        match = (history.designs[:, :, None] == self._distinct).all(-1)
        return match.sum(1)
