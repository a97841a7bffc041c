"""Every domain of the catalogue can be answered: random experiments in simulated worlds tell of the truth.

Weak bounds on few runs, so that a domain whose outcomes say nothing of its laws, or whose belief is about something
else than its simulator, is seen at once. How well the planned agent does is a report, make recovery.
"""

import pytest
import torch

from domains import catalogue
from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation, information
from meta_learner.policies.random import Random
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.summary import marginals

RUNS = 16
FEW = BeliefSettings(particles=300, moves=3)
MORE = {"ces": BeliefSettings()}  # sharp and bent: with 300 particles 53 of 80 intervals hold the truth
SLOW = {"epidemic": (2, 3), "gene-switch": (3, 12)}  # dynamics: so many runs and steps


@pytest.mark.statistical
@pytest.mark.parametrize("name", catalogue.names())
def test_random_experiments_tell_of_the_truth(name: str) -> None:
    """At least half a nat a run on average, and two thirds of the 90 % intervals hold the truth under its law: fewer of
    32 have a probability below 1e-4."""
    model = DomainModel(find(name))
    runs, steps_at_most = SLOW.get(name, (RUNS, 1000))
    laboratory = Simulation(model, seed=21, block=0, runs=runs)
    worlds = laboratory.worlds
    assert worlds is not None
    steps = BlockSteps(
        model, Random(), laboratory, budget=model.domain.budget, seed=21, block=0, settings=MORE.get(name, FEW)
    )
    total = torch.zeros(runs, dtype=torch.float64)
    state = steps.begin(runs)
    for state in rollout(steps, runs):
        history = state.belief.history
        assert state.log_predictive is not None
        gained = information(model, worlds, history.designs[:, -1], history.outcomes[:, -1], state.log_predictive)
        total += torch.where(state.performed, gained, 0.0)
        if state.step == steps_at_most:
            break
    assert total.mean() > 0.5
    inside = []
    for run, law in enumerate(worlds.mechanism.tolist()):
        for parameter, found in marginals(model, state.belief, law).items():
            truth = worlds.parameters[law][parameter][run]
            inside.append(bool(found.low90[run] <= truth <= found.high90[run]))
    print(f"{name}: {total.mean():.2f} nats, {sum(inside)} of {len(inside)} intervals")
    assert sum(inside) >= 2 / 3 * len(inside)
