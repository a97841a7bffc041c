"""The contract of every policy: feasible, affordable, deterministic designs, from open spaces and from pools."""

from functools import cache

import pytest
import torch

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies import POLICIES, Choice, Pool
from meta_learner.rollout import BlockState, BlockSteps, rollout
from tests.mixed_domain import MIXED

SETTINGS = BeliefSettings(particles=200, moves=2)


def goals(policy: str) -> list[str]:
    """One goal of every kind that a policy serves."""
    written = {"learn": "learn", "discriminate": "discriminate", "maximise": "{maximise: mu}"}
    return [written[kind] for kind in POLICIES[policy]().goals if kind in written]


EVERY = [(policy, goal) for policy in POLICIES for goal in goals(policy)]


def steps(policy: str, goal: str = "", seed: int = 5) -> BlockSteps:
    goal = goal or goals(policy)[0]
    model = DomainModel(load_text(MIXED.replace("GOAL", goal)))
    laboratory = Simulation(model, seed=seed, block=0, runs=6)
    return BlockSteps(model, POLICIES[policy](), laboratory, budget=7, seed=seed, block=0, settings=SETTINGS)


@cache
def states(policy: str, goal: str) -> tuple[BlockState, ...]:
    """A campaign to its end, which several tests look at."""
    return tuple(rollout(steps(policy, goal), 6))


def designs_of(found: tuple[BlockState, ...]) -> list[torch.Tensor]:
    return [state.choice.designs for state in found if state.choice]


@pytest.mark.parametrize(("policy", "goal"), EVERY)
def test_designs_are_feasible_and_paid_for(policy: str, goal: str) -> None:
    space = steps(policy, goal).model.space
    spent = torch.zeros(6, dtype=torch.float64)
    ended = 0
    for state in states(policy, goal):
        assert state.choice is not None
        assert state.cost is not None
        designs = state.choice.designs[state.performed]
        assert space.feasible(designs).all()
        for design in designs:
            values = space.to_names(design)
            assert torch.equal(space.from_names(values), design)
        spent += state.cost
        assert (spent <= 7).all()
        assert (state.cost[~state.performed] == 0).all()
        ended = int((~state.active).sum())
    assert ended == 6
    assert (7 - spent < 1).all()  # the cheapest experiment costs 1: nobody stops while one still fits


@pytest.mark.parametrize("policy", POLICIES)
def test_same_seed_same_designs(policy: str) -> None:
    first = designs_of(states(policy, goals(policy)[0]))
    second, other = (designs_of(tuple(rollout(steps(policy, seed=seed), 6))) for seed in (5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("policy", POLICIES)
def test_leading_candidates_come_best_first(policy: str) -> None:
    for state in states(policy, goals(policy)[0])[::5]:
        choice = state.choice
        assert isinstance(choice, Choice)
        assert choice.leading.shape[:2] == choice.scores.shape
        assert not (choice.scores.diff(dim=-1) > 0).any()
        if choice.scores.shape[1] > 0:
            paid = choice.scores[:, 0].isfinite()
            assert torch.equal(choice.leading[paid, 0], choice.designs[paid])


class _TableLaboratory(Simulation):
    """Simulated outcomes, but only at five designs, two of each."""

    pool_designs = torch.tensor(
        [[0.1, 1, 10, 0], [0.5, 2, 10, 1], [1, 1, 20, 0], [2, 3, 40, 1], [5, 1, 40, 0]], dtype=torch.float64
    )

    def pool(self, history):  # type: ignore[no-untyped-def]
        used = (history.designs[:, :, None] == self.pool_designs).all(-1).sum(1)
        return Pool(self.pool_designs, 2 - used)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_pool_is_used_up_and_never_left(policy: str) -> None:
    model = DomainModel(load_text(MIXED.replace("GOAL", goals(policy)[0])))
    laboratory = _TableLaboratory(model, seed=5, block=0, runs=6)
    block = BlockSteps(model, POLICIES[policy](), laboratory, budget=100, seed=5, block=0, settings=SETTINGS)
    history = list(rollout(block, 6))[-1].belief.history
    assert history.steps == 10
    counts = (history.designs[:, :, None] == laboratory.pool_designs).all(-1).sum(1)
    assert torch.equal(counts, torch.full((6, 5), 2))
    orders = {tuple(row) for row in history.designs[:, :, 0].tolist()}
    assert len(orders) > 1  # runs of one block do not all look in the same order


def test_random_orders_are_uniform_over_rows() -> None:
    """A pool's designs are drawn in proportion to the measurements left there: 3 : 1, α = 1e-5, sees 75 % ± 4 %."""
    model = DomainModel(load_text(MIXED.replace("GOAL", "learn")))
    block = steps("random")
    pool = Pool(_TableLaboratory.pool_designs[:2], torch.tensor([3, 1]).expand(4000, 2))
    state = BlockSteps(
        model, POLICIES["random"](), Simulation(model, seed=1, block=0, runs=4000), budget=9, seed=1, block=0,
        settings=BeliefSettings(particles=50),
    ).begin(4000)  # fmt: skip
    from meta_learner.hypotheses import draw_hypotheses
    from meta_learner.policies import DesignProblem
    from meta_learner.streams import stream

    rows = draw_hypotheses(model, state.belief, 2, stream(1, 0, 0, "hypothesise"))
    problem = DesignProblem(
        model, state.belief, rows, torch.full((4000,), 9.0).double(), 0, pool, stream(1, 0, 0, "design"),
        0, stream(1, 0, 0, "sequence"), torch.empty((4000, 0, len(block.model.space.names))),
    )  # fmt: skip
    designs = block.policy.choose(problem).designs
    share = (designs == pool.designs[0]).all(-1).double().mean().item()
    assert abs(share - 0.75) < 4.42 * (0.75 * 0.25 / 4000) ** 0.5
