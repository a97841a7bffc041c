"""What every policy is given and gives back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from domains.document import GoalKind
from domains.worlds import DomainModel
from meta_learner.belief import Belief
from meta_learner.hypotheses import Hypotheses


@dataclass(frozen=True)
class Pool:
    """A finite set of designs, as a replay offers it.

    designs [pool, columns], distinct; left [runs, pool]: how many measurements each run may still look up there.
    """

    designs: Tensor
    left: Tensor


@dataclass(frozen=True)
class DesignProblem:
    """One decision for every run of a block.

    remaining [runs]: what is left of the budget; pool: where only some designs exist; generator: this step's stream;
    scoring: the seed of the noise that candidates are scored with; sequence: a stream that is the same at every step of
    the block, for low-discrepancy sequences. pending [runs, chosen, columns]: designs of this batch already chosen,
    whose outcomes are not known; their cost is off ``remaining``, their use off ``pool``, their steps in ``step``.
    certain: the probability of a law at which a run ends, where it ends so.
    """

    model: DomainModel
    belief: Belief
    hypotheses: Hypotheses
    remaining: Tensor
    step: int
    pool: Pool | None
    generator: torch.Generator
    scoring: int
    sequence: torch.Generator
    pending: Tensor = field(default_factory=lambda: torch.empty((0, 0, 0), dtype=torch.float64))
    certain: float | None = None

    @property
    def runs(self) -> int:
        return self.remaining.shape[0]

    def allowed(self, designs: Tensor) -> Tensor:
        """Which of designs [runs, designs, columns] are feasible and paid for: boolean [runs, designs]."""
        return self.model.space.available(designs, self.remaining[:, None])


@dataclass(frozen=True)
class Choice:
    """designs [runs, columns]; the leading candidates [runs, leading, columns] with scores [runs, leading], best first
    (none for policies that score nothing)."""

    designs: Tensor
    leading: Tensor
    scores: Tensor


class Policy(ABC):
    """Belief → next design. Policies are stateless values: everything they may use is in the problem."""

    name: str
    hypotheses: int = 2  # how many rows of the table the policy wants
    goals: tuple[GoalKind, ...] = ("learn", "discriminate", "predict", "maximise", "minimise")  # those it serves

    @abstractmethod
    def choose(self, problem: DesignProblem) -> Choice:
        """The next design of every run; always feasible and within what is left, where any such design exists."""


def unscored(designs: Tensor) -> Choice:
    """The choice of a policy that scores nothing: designs [runs, columns]."""
    runs, columns = designs.shape
    empty = torch.empty((runs, 0), dtype=torch.float64)
    return Choice(designs, torch.empty((runs, 0, columns), dtype=torch.float64), empty)


def first_allowed(problem: DesignProblem, designs: Tensor, among: Tensor | bool = True) -> Tensor:
    """The first allowed of designs [runs, designs, columns]; where none is, the cheapest design there is.

    among: boolean [runs, designs], to pass over some of them.
    """
    allowed = problem.allowed(designs) & among
    picked = designs[torch.arange(problem.runs), allowed.to(torch.uint8).argmax(-1)]
    return torch.where(allowed.any(-1)[:, None], picked, problem.model.space.cheapest)


def pooled(problem: DesignProblem, pool: Pool) -> tuple[Tensor, Tensor]:
    """A pool as candidates of every run: designs [runs, pool, columns] and which are allowed [runs, pool]."""
    designs = pool.designs.expand(problem.runs, -1, -1)
    return designs, (pool.left > 0) & problem.allowed(designs)
