"""Nobody runs experiments: what was made before is analysed, and no more."""

import torch
from torch import Tensor

from domains.errors import DomainError
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import History
from meta_learner.policies.base import Pool


class NoLaboratory:
    """No design exists, so that every run ends with the last given experiment."""

    worlds: Worlds | None = None

    def __init__(self, model: DomainModel) -> None:
        self._columns = len(model.space.names)

    def pool(self, history: History) -> Pool:
        """An empty pool."""
        runs = history.designs.shape[0]
        return Pool(torch.empty((0, self._columns), dtype=torch.float64), torch.empty((runs, 0), dtype=torch.int64))

    def perform(self, designs: Tensor, history: History) -> Tensor:
        del designs, history
        raise DomainError("the laboratory none runs no experiments; choose simulate, or a replay of the domain")
