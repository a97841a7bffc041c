"""A person, or anybody's program, runs the experiments: every design is open, outcomes are told."""

from torch import Tensor

from domains.errors import DomainError
from domains.worlds import Worlds
from meta_learner.belief import History
from meta_learner.policies.base import Pool


class ManualLaboratory:
    """Nobody knows the truth, and nothing is performed here: what comes back is told."""

    worlds: Worlds | None = None

    def pool(self, history: History) -> Pool | None:
        del history
        return None

    def perform(self, designs: Tensor, history: History) -> Tensor:
        del designs, history
        raise DomainError("experiments of the laboratory manual are run elsewhere: tell what came back")
