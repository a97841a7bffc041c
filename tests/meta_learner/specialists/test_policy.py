"""A specialist as a policy: rollouts, batches, pools and other domains."""

from dataclasses import replace

import pytest
import torch

from domains import randomness
from domains.errors import DomainError
from meta_learner.belief import BeliefSettings, History
from meta_learner.evaluation.benchmark import BlindSteps
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.laboratory import Simulation
from meta_learner.policies import Pool
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.specialists import SPECIALISTS, Specialised, build
from meta_learner.specialists.episodes import Episodes
from tests.meta_learner.specialists.worlds import both, line, mixed

FEW = BeliefSettings(particles=50, moves=1)
RUNS = 6


def policy(name: str = "rl2", goal: str = "learn") -> Specialised:
    """Not trained, but with an opinion."""
    network = build(name, mixed(goal), seed=1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2.0)
    return Specialised(network)


@pytest.mark.parametrize("name", SPECIALISTS)
def test_a_rollout_is_legal_paid_for_and_the_same_again(name: str) -> None:
    model = mixed()
    ends: list[BlockState] = []
    for seed in (5, 5, 6):
        steps, _ = simulated_block(model, policy(name), runs=RUNS, seed=seed, settings=FEW)
        spent = torch.zeros(RUNS, dtype=torch.float64)
        for state in rollout(steps, RUNS):
            assert state.choice is not None
            assert state.cost is not None
            assert model.space.feasible(state.choice.designs).all()
            spent += state.cost
        assert ((spent <= 7) & (7 - spent < 1)).all()
        ends.append(state)
    first, again, other = (state.belief.history.designs for state in ends)
    assert torch.equal(first, again)
    assert other.shape != first.shape or not torch.equal(first, other)


def test_drawn_designs_differ_by_the_stream_and_are_legal() -> None:
    model, network = mixed(), policy("scratch").network
    first, again, other = (
        simulated_block(model, Specialised(network, drawn=True), runs=RUNS, seed=seed, settings=FEW)[0]
        for seed in (5, 5, 6)
    )
    designs = [next(iter(rollout(steps, RUNS))).belief.history.designs for steps in (first, again, other)]
    assert torch.equal(designs[0], designs[1])
    assert not torch.equal(designs[0], designs[2])
    assert len(designs[0].unique(dim=0)) == RUNS
    assert all(bool(model.space.feasible(each[:, 0]).all()) for each in designs)


def test_a_rollout_sees_what_episodes_show() -> None:
    """The same history and budget: the design is the network's, in campaigns as in training."""
    model = mixed()
    wanted = policy()
    episodes = Episodes(model, episodes=RUNS, contrasts=2, generator=randomness.generator(3))
    for _ in range(2):
        episodes.step(torch.tensor([1.0, 2.0, 20.0, 1.0], dtype=torch.float64).expand(RUNS, -1))
    network = wanted.network
    unit = network.layout.unit(network.latest(network.featuriser(episodes.history, episodes.remaining)).mode())
    steps, _ = simulated_block(model, wanted, runs=RUNS, seed=5, settings=FEW, kind=BlindSteps)
    state = steps.begin(RUNS)
    belief = replace(state.belief, history=episodes.history)
    state = replace(state, belief=belief, spent=7 - episodes.remaining[:, -1])
    found = steps.design(steps.hypothesise(state)).choice
    assert found is not None
    torch.testing.assert_close(found.designs, model.space.decode(unit))


def test_a_batch_counts_what_is_pending() -> None:
    """Three designs at a time: the second is chosen from a history with a missing outcome, at what is then left."""
    model, wanted = mixed(), policy()
    laboratory = Simulation(model, seed=5, block=0, runs=RUNS)
    steps = BlockSteps(model, wanted, laboratory, budget=7, seed=5, block=0, settings=FEW, batch=3)
    state = steps.design(steps.hypothesise(steps.begin(RUNS)))
    assert state.choice is not None
    network, designs = wanted.network, state.choice.designs[:, None]
    nothing = torch.full((RUNS, 1, 2), torch.nan, dtype=torch.float64)
    left = torch.stack([torch.full((RUNS,), 7.0, dtype=torch.float64), 7 - model.space.cost(designs[:, 0])], dim=1)
    unit = network.layout.unit(network.latest(network.featuriser(History(designs, nothing), left)).mode())
    torch.testing.assert_close(state.pending[0].designs, model.space.decode(unit))
    assert not torch.equal(state.pending[0].designs, state.choice.designs)


class _Table(Simulation):
    """Simulated outcomes, but only at four designs, each once."""

    designs = torch.tensor([[0.1, 1, 10, 0], [0.5, 2, 10, 1], [1, 1, 20, 0], [2, 3, 40, 1]], dtype=torch.float64)

    def pool(self, history: History) -> Pool:
        used = (history.designs[:, :, None] == self.designs).all(-1).sum(1)
        return Pool(self.designs, 1 - used)


def test_a_pool_is_used_up_nearest_first() -> None:
    model, wanted = mixed(), policy()
    laboratory = _Table(model, seed=5, block=0, runs=RUNS)
    steps = BlockSteps(model, wanted, laboratory, budget=100, seed=5, block=0, settings=FEW)
    history = list(rollout(steps, RUNS))[-1].belief.history
    counts = (history.designs[:, :, None] == laboratory.designs).all(-1).sum(1)
    assert torch.equal(counts, torch.ones_like(counts))
    network = wanted.network
    start = network.featuriser.start(torch.full((1,), 100.0, dtype=torch.float64))
    unit = network.layout.unit(network.latest(start).mode())
    nearest = (model.space.encode(laboratory.designs) - unit).norm(dim=-1).argmin()
    assert torch.equal(history.designs[0, 0], laboratory.designs[nearest])


def test_a_domain_of_another_shape_is_refused() -> None:
    steps, _ = simulated_block(line(), policy(), runs=2, seed=1, settings=FEW)
    with pytest.raises(DomainError, match=r"rl2: it was trained for the settings dose, .* has the settings x and"):
        next(rollout(steps, 2))
    same, _ = simulated_block(both(), Specialised(build("rl2", line())), runs=2, seed=1, settings=FEW)
    assert next(rollout(same, 2)).step == 1  # other laws for the same settings and outcomes
