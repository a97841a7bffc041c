"""Every domain of the catalogue: complete, in order, and simulated and analysed without harm."""

from itertools import islice

import pytest
import torch

from domains import catalogue
from domains.loading import load_file
from domains.measurements import read_replay
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies.random import Random
from meta_learner.rollout import BlockSteps, rollout
from orchestrator.checking import check_finite

NAMES = catalogue.names()


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_says_what_it_is(name: str) -> None:
    domain = load_file(catalogue.path(name))
    assert domain.name == name
    assert domain.title.endswith("?")
    assert domain.field
    assert domain.summary
    assert domain.references
    for replay in domain.replays:
        assert len(read_replay(domain, replay).designs) >= 5
        assert domain.replays[replay].source


@pytest.mark.parametrize("name", NAMES)
def test_its_laws_simulate_and_can_be_told_experiments(name: str) -> None:
    """The check finds no broken law, and three random experiments in each of 4 worlds leave a sound belief."""
    model = DomainModel(load_file(catalogue.path(name)))
    assert check_finite(model.domain, model)["ok"]
    settings = BeliefSettings(particles=100, moves=2)
    laboratory = Simulation(model, seed=1, block=0, runs=4)
    steps = BlockSteps(model, Random(), laboratory, budget=1e9, seed=1, block=0, settings=settings)
    *_, state = islice(rollout(steps, 4), 3)
    assert state.belief.explained.all()
    assert torch.isfinite(state.belief.log_probability.exp()).all()


def test_the_benchmarks_keep_their_names() -> None:
    """The export's columns depend on them."""
    columns = {
        "source-location-unit": ({"x", "y"}, {"x1", "y1"}, {"log_intensity"}),
        "source-location": ({"x", "y"}, {"x1", "y1", "x2", "y2"}, {"log_intensity"}),
        "ces": ({"a1", "a2", "a3", "b1", "b2", "b3"}, {"rho_raw", "alpha", "log_u"}, {"preference"}),
        "death-process": ({"time"}, {"rate"}, {"infected"}),
        "hyperbolic-discounting": ({"reward", "delay"}, {"log_k", "alpha"}, {"chooses_now"}),
        "prey-population": ({"n0"}, {"log_a", "log_h"}, {"eaten"}),
        "pharmacokinetics": ({"time"}, {"log_ka", "log_ke", "log_v"}, {"concentration"}),
    }
    for name, (designs, parameters, outcomes) in columns.items():
        domain = load_file(catalogue.path(name))
        assert {design.name for design in domain.designs} == designs
        assert {parameter.name for parameter in domain.parameters} == parameters
        assert {outcome.name for outcome in domain.outcomes} == outcomes
