"""Batches: chosen without a look at outcomes, run one by one, within the budget and the pool."""

from itertools import pairwise

import pytest
import torch

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, History
from meta_learner.laboratory import Simulation
from meta_learner.policies import POLICIES, Choice, DesignProblem, Policy, Pool
from meta_learner.policies.base import unscored
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.stopping import Ended

RUNS = 5
GROWTH = """
format: 1
name: growth
title: How fast does it grow?
designs: {dose: {real: [0.1, 2.0]}, count: {integer: [1, 4]}}
parameters: {slope: {prior: {normal: [0, 1]}}}
mechanisms:
  straight: {let: {mu: slope * dose}}
  bent: {let: {mu: slope * dose ** 2}}
outcomes: {level: {normal: {mean: mu, sd: 0.3 / sqrt(count)}}}
cost: 0.7 * count
budget: 9
goal: learn
"""


@pytest.fixture(scope="module")
def model() -> DomainModel:
    return DomainModel(load_text(GROWTH))


class Table(Simulation):
    """Simulated outcomes, but only at three designs, two of each."""

    designs = torch.tensor([[0.5, 1], [1.0, 2], [2.0, 1]], dtype=torch.float64)

    def pool(self, history: History) -> Pool:
        return Pool(self.designs, 2 - (history.designs[:, :, None] == self.designs).all(-1).sum(1))


class Noting(Policy):
    """Passes problems on to another policy, and keeps them."""

    name = "noting"

    def __init__(self, other: Policy) -> None:
        self.other, self.hypotheses = other, other.hypotheses
        self.problems: list[DesignProblem] = []

    def choose(self, problem: DesignProblem) -> Choice:
        self.problems.append(problem)
        return self.other.choose(problem)


def steps(model: DomainModel, policy: str | Policy, batch: int, *, pool: bool = False, budget: float = 9) -> BlockSteps:
    laboratory = (Table if pool else Simulation)(model, seed=2, block=0, runs=RUNS)
    chosen = POLICIES[policy]() if isinstance(policy, str) else policy
    return BlockSteps(
        model, chosen, laboratory, budget=budget, seed=2, block=0, settings=BeliefSettings(particles=150, moves=2),
        batch=batch,
    )  # fmt: skip


@pytest.mark.parametrize("batch", [2, 3, 64])
@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("policy", ["random", "sobol"])
def test_policies_that_ignore_outcomes_do_the_same_in_batches(
    model: DomainModel, policy: str, pool: bool, batch: int
) -> None:
    """The oracle: what is not chosen by outcomes is the same to the last bit, whatever the size of the batch."""
    single = list(rollout(steps(model, policy, 1, pool=pool), RUNS))
    batched = list(rollout(steps(model, policy, batch, pool=pool), RUNS))
    assert len(single) == len(batched) > 2
    for one, other in zip(single, batched, strict=True):
        assert one.choice is not None
        assert other.choice is not None
        assert torch.equal(one.performed, other.performed)
        assert torch.equal(one.choice.designs[one.performed], other.choice.designs[one.performed])
        assert torch.equal(one.spent, other.spent)
        assert torch.equal(one.ended, other.ended)
        assert torch.equal(one.belief.log_evidence, other.belief.log_evidence)


def test_a_policy_is_told_what_is_pending(model: DomainModel) -> None:
    policy = Noting(POLICIES["random"]())
    block = steps(model, policy, 3)
    states: list[BlockState] = [block.begin(RUNS)]
    while bool(states[-1].active.any()):
        states.append(block.turn(states[-1]))
    first = policy.problems[:3]
    assert [problem.pending.shape for problem in first] == [(RUNS, j, 2) for j in range(3)]
    assert [problem.step for problem in first] == [0, 1, 2]
    for j, problem in enumerate(first):
        for i in range(j):
            assert states[i + 1].choice is not None
            assert torch.equal(problem.pending[:, i], states[i + 1].choice.designs)  # type: ignore[union-attr]
        assert torch.equal(problem.remaining, 9 - states[j].spent)
        assert problem.belief is states[0].belief, "no outcome of the batch is known while it is chosen"
    assert policy.problems[3].belief is states[3].belief
    assert policy.problems[3].pending.shape[1] == 0
    assert [len(state.pending) for state in states[:4]] == [0, 2, 1, 0]


def test_hypotheses_are_drawn_once_a_batch(model: DomainModel) -> None:
    for before, after in pairwise(rollout(steps(model, "random", 3), RUNS)):
        assert (after.hypotheses is None) == bool(before.pending)


@pytest.mark.parametrize("policy", [name for name, policy in POLICIES.items() if "learn" in policy().goals])
@pytest.mark.parametrize("pool", [False, True])
def test_no_budget_is_overshot_and_none_left_over(model: DomainModel, policy: str, pool: bool) -> None:
    """Batches are shorter where the budget, or the pool, ends within them; a run ends only where nothing fits."""
    block = steps(model, policy, 4, pool=pool)
    laboratory = block.laboratory
    *_, last = rollout(block, RUNS)
    assert (last.spent <= 9 * (1 + 1e-9)).all()
    assert (last.ended == Ended.BUDGET).all()
    if pool:
        left = laboratory.pool(last.belief.history)
        assert left is not None
        cost = model.space.cost(left.designs)
        fits = (left.left > 0) & (cost <= 9 - last.spent[:, None])
        assert not fits.any()
    else:
        assert (9 - last.spent < 0.7).all()


class Dear(Policy):
    """Always the same design."""

    name = "dear"

    def choose(self, problem: DesignProblem) -> Choice:
        return unscored(torch.tensor([[1.0, 4.0]]).double().expand(problem.runs, -1))


def test_a_batch_is_cut_where_nobody_can_pay_for_more(model: DomainModel) -> None:
    block = steps(model, Dear(), 64, budget=9)  # each costs 2.8: three fit, and 0.6 is left
    state = block.design(block.hypothesise(block.begin(RUNS)))
    assert len(state.pending) == 2
    *_, last = rollout(block, RUNS)
    assert last.step == 3
