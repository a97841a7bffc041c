"""Experiments made before the first that the agent plans: every run of a campaign starts from them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.errors import DomainError
from domains.measurements import Measurements
from domains.simulators import ExactSimulator, Parameters
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import Belief, BeliefSettings, prior_belief
from meta_learner.smc import update


@dataclass(frozen=True)
class Given:
    """The same for every run: designs [rows, columns], outcomes [rows, outcomes] (NaN: missing)."""

    designs: Tensor
    outcomes: Tensor

    @property
    def rows(self) -> int:
        return len(self.designs)


def as_tensors(model: DomainModel, table: Measurements) -> tuple[Tensor, Tensor]:
    """Designs [rows, columns] and outcomes [rows, outcomes] of a table; NaN: missing."""
    designs = torch.stack([model.space.from_names(design) for design in table.designs])
    rows = [[math.nan if row[n] is None else row[n] for n in model.outcome_names] for row in table.outcomes]
    return designs, torch.tensor(rows, dtype=torch.float64)


def given_experiments(model: DomainModel, table: Measurements) -> Given:
    """The experiments of a table; DomainError where a design breaks a constraint of the domain."""
    given = Given(*as_tensors(model, table))
    broken = (~model.space.feasible(given.designs)).nonzero()[:, 0].tolist()
    if broken:
        raise DomainError(
            f"the given experiment {broken[0] + 1} of {given.rows} breaks a constraint of {model.domain.name}: "
            f"{table.designs[broken[0]]}; take its row out of the data, or widen the constraint"
        )
    return given


def posterior_worlds(
    model: DomainModel,
    given: Given,
    runs: int,
    *,
    settings: BeliefSettings,
    streams: Callable[[int], torch.Generator],
) -> Worlds:
    """``runs`` independent draws from p(world | given experiments), each from particles of its own.

    streams: step → generator, for drawing worlds only: a truth must be none of the particles that the agent believes
    in. DomainError where no law can have given these outcomes.
    """
    belief = prior_belief(model, runs, settings, streams(0))
    for row in range(given.rows):
        designs, outcomes = given.designs[row].expand(runs, -1), given.outcomes[row].expand(runs, -1)
        belief = update(model, belief, designs, outcomes, settings=settings, generator=streams(row + 1))
    if not bool(belief.explained.all()):
        raise DomainError(
            f"no law of {model.domain.name} explains the given experiments, so that no world can be drawn to go on in; "
            "analyse them alone (laboratory none) and mend the laws or the data"
        )
    return drawn_worlds(model, belief, streams(given.rows + 1))


def drawn_worlds(model: DomainModel, belief: Belief, generator: torch.Generator) -> Worlds:
    """One world a run by the weights of its belief; of the other laws, values that nobody asks for."""
    mechanism = randomness.choices(belief.log_probability.exp(), 1, generator)[:, 0]
    parameters: list[Parameters] = [{} for _ in model.mechanisms]
    for index in mechanism.unique().tolist():
        if belief.posterior is not None:
            assert isinstance(model.simulator, ExactSimulator)
            parameters[index] = model.simulator.draw(belief.posterior.statistics, index, generator)
        else:
            population = belief.populations[index]
            place = randomness.choices(population.log_weight.exp(), 1, generator)
            z = population.z.gather(1, place[..., None].expand(-1, -1, population.z.shape[2]))[:, 0]
            parameters[index] = model.mechanisms[index].parameters(z)
    return Worlds(mechanism, tuple(dict(values) for values in parameters))
