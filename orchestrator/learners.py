"""What can be trained in sittings: the universal policy by a recipe, and a specialist on one domain."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from meta_learner.agents.card import Card
from meta_learner.training.recipe import TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor

    from meta_learner.specialists.session import Plan

    State = dict[str, Tensor]


class Session(Protocol):
    """seconds: at work, so far; curve: (step, value)."""

    seconds: float
    curve: list[tuple[int, float]]

    def run(self) -> Iterator[float]:
        """What every update of the rest gave."""


@dataclass(frozen=True)
class Learner:
    """A training under way.

    steps: to its end, of which ``step()`` are done; state, restore: all that the next update depends on; packed: what
    has been learned so far, for the store of agents, given its commit and machine.
    """

    session: Session
    steps: int
    step: Callable[[], int]
    state: "Callable[[], State]"
    restore: "Callable[[State], None]"
    packed: Callable[[Mapping[str, Any]], tuple[Card, bytes]]


def universal(recipe: TrainingRecipe) -> Learner:
    """The experimenter; steps are updates."""
    from meta_learner.training.agent import as_agent
    from meta_learner.training.planned import planned
    from meta_learner.training.session import Session
    from meta_learner.training.training import Training

    session = Session(Training(planned(recipe)))
    training = session.training
    return Learner(
        session,
        training.plan.steps,
        lambda: training.step,
        session.state,
        session.restore,
        lambda about: as_agent(recipe, training, session.seconds, session.curve, about),
    )


def specialist(plan: "Plan") -> Learner:
    """One of the meta-RL families; steps are simulated experiments."""
    from meta_learner.specialists.agent import as_agent
    from meta_learner.specialists.session import Session

    session = Session(plan)
    return Learner(
        session,
        plan.recipe.experiments,
        lambda: session.trainer.experiments,
        session.state,
        session.restore,
        lambda about: as_agent(session, about),
    )
