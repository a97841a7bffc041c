"""Starting from experiments already made: the first steps take them, and worlds to go on in are drawn from them.

The draws are compared with the closed form: 1,500 runs, each from 300 particles of its own, whose standard deviation is
2 % too small. The bounds are 5 standard errors (false-alarm rate below 1e-4), so that a mean off by 0.35 posterior
standard deviations, a standard deviation off by 25 % or a law's probability off by 0.09 is seen with a probability
above 99 %. Draws from the prior are off by more.
"""

import pytest
import torch

from domains.errors import DomainError
from domains.loading import load_text
from domains.measurements import Measurements
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import BeliefSettings
from meta_learner.given import Given, given_experiments, posterior_worlds
from meta_learner.laboratory import Simulation
from meta_learner.policies.random import Random
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.streams import stream
from tests.meta_learner import linear_gaussian as oracle

MODEL = oracle.model()
X = torch.tensor([-1.0, 0.5, 1.0], dtype=torch.float64)
Y = torch.tensor([0.6, 1.0, 1.7], dtype=torch.float64)
GIVEN = Given(X[:, None], Y[:, None])
SMALL = BeliefSettings(particles=300, moves=3)


def draw(runs: int, seed: int = 3) -> Worlds:
    return posterior_worlds(
        MODEL, GIVEN, runs, settings=SMALL, streams=lambda step: stream(seed, 0, step, "world")
    )  # fmt: skip


@pytest.mark.statistical
def test_worlds_are_drawn_from_what_is_known() -> None:
    runs = 1500
    worlds = draw(runs)
    evidence = torch.stack([oracle.log_evidence(law, X, Y) for law in ("line", "constant")])
    probability = (MODEL.log_weights + evidence).softmax(-1)
    assert 0.2 < probability[0] < 0.8, "both laws were to be tried"
    share = (worlds.mechanism == 0).double().mean()
    assert abs(share - probability[0]) < 5 * (probability.prod() / runs).sqrt()
    for index, law in enumerate(("line", "constant")):
        mean, covariance = oracle.posterior(law, X, Y)
        values = torch.stack(list(worlds.parameters[index].values()), dim=-1)[worlds.mechanism == index]
        standard = (values - mean) / covariance.diagonal().sqrt()
        assert standard.mean(0).abs().max() < 5 / len(values) ** 0.5
        assert (standard.std(0) - 1).abs().max() < 5 / (2 * len(values)) ** 0.5


def test_a_truth_is_none_of_the_agents_particles() -> None:
    worlds = draw(20)
    steps = BlockSteps(
        MODEL, Random(), Simulation(MODEL, seed=3, block=0, runs=20, worlds=worlds),
        budget=1, seed=3, block=0, settings=SMALL, given=GIVEN,
    )  # fmt: skip
    state = steps.begin(20)
    for _ in range(GIVEN.rows):
        for index, population in enumerate(state.belief.populations):
            truth = worlds.parameters[index]["a"][:, None]
            assert not bool((MODEL.mechanisms[index].parameters(population.z)["a"] == truth).any())
        state = steps.turn(state)


def test_worlds_come_back_from_their_truths() -> None:
    worlds = draw(30)
    truths = [MODEL.truth(worlds, run) for run in range(30)]
    again = MODEL.worlds_of(truths)
    assert torch.equal(again.mechanism, worlds.mechanism)
    assert [MODEL.truth(again, run) for run in range(30)] == truths
    designs = torch.linspace(-2, 2, 30, dtype=torch.float64)[:, None]
    one, two = (MODEL.simulate(w, designs, stream(1, 0, 0, "noise")) for w in (worlds, again))
    assert torch.equal(one, two)
    assert torch.equal(MODEL.log_likelihood(worlds, designs, one), MODEL.log_likelihood(again, designs, one))


def test_the_first_steps_take_what_was_given_and_cost_nothing() -> None:
    steps = BlockSteps(
        MODEL, Random(), Simulation(MODEL, seed=5, block=0, runs=4),
        budget=2, seed=5, block=0, settings=SMALL, given=GIVEN,
    )  # fmt: skip
    states = list(rollout(steps, 4))
    assert len(states) == 5
    for row, state in enumerate(states[:3]):
        assert state.choice is not None
        assert torch.equal(state.choice.designs, GIVEN.designs[row].expand(4, -1))
        assert state.outcomes is not None
        assert torch.equal(state.outcomes, GIVEN.outcomes[row].expand(4, -1))
        assert (state.spent.sum(), state.seconds, state.choice.leading.shape[1]) == (0, 0, 0)
        assert bool(state.performed.all())
        assert bool(state.active.all())
    assert [state.spent.tolist() for state in states[3:]] == [[1.0] * 4, [2.0] * 4]
    assert not bool(states[-1].active.any())


def test_what_cannot_be_started_from_is_refused() -> None:
    far = Given(GIVEN.designs, torch.full_like(GIVEN.outcomes, 1e200))
    with pytest.raises(DomainError, match=r"no law of linear-gaussian explains .* \(laboratory none\)"):
        posterior_worlds(MODEL, far, 2, settings=SMALL, streams=lambda step: stream(0, 0, step, "world"))
    text = oracle.TEXT.replace("parameters: {a", 'constraints: ["x < 1"]\nparameters: {a', 1)
    table = Measurements(({"x": 0.0}, {"x": 1.5}), ({"y": 0.0}, {"y": None}))
    with pytest.raises(DomainError, match=r"given experiment 2 of 2 breaks a constraint of linear-gaussian: \{'x': 1"):
        given_experiments(DomainModel(load_text(text)), table)
