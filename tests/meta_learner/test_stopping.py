"""When runs end: the rules one by one, and in whole rollouts against the beliefs that they were judged by."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from domains.errors import DomainError
from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies import POLICIES, Choice
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.stopping import Ended, StoppingRules, end
from meta_learner.summary import by_probability, marginals

RUNS = 12
DECAY = """
format: 1
name: decay
title: How fast does it decay?
designs: {time: {real: [0.5, 4.0]}, method: {choice: [quick, careful]}}
parameters: {rate: {prior: {lognormal: [0.0, 0.5]}}}
mechanisms:
  exponential: {let: {left: "exp(-rate * time)"}}
  linear: {parameters: {start: {prior: {normal: [1.0, 0.2]}}}, let: {left: "start - 0.2 * rate * time"}}
outcomes: {amount: {normal: {mean: left, sd: 0.05}}}
cost: "time + (2 if method == 'careful' else 0)"
budget: 12
goal: learn
"""


@pytest.fixture(scope="module")
def model() -> DomainModel:
    return DomainModel(load_text(DECAY))


def steps(
    model: DomainModel, policy: str = "random", runs: int = RUNS, *, batch: int = 1, seed: int = 3, **rules: object
) -> BlockSteps:
    return BlockSteps(
        model, POLICIES[policy](), Simulation(model, seed=seed, block=0, runs=runs), budget=12, seed=seed, block=0,
        settings=BeliefSettings(particles=200, moves=2), stop=StoppingRules(**rules), batch=batch,  # type: ignore[arg-type]
    )  # fmt: skip


def believed(model: DomainModel, state: BlockState, run: int) -> tuple[float, dict[str, float]]:
    """Of one run: the most probable law's probability, and how wide the 90 % intervals are under it."""
    law = int(by_probability(state.belief)[run, 0])
    probability = state.belief.log_probability[run, law].exp().item()
    found = marginals(model, state.belief, law)
    return probability, {name: (m.high90[run] - m.low90[run]).item() for name, m in found.items()}


RULES = [
    {"probability": 0.9},
    {"widths": {"rate": 0.3}},
    {"probability": 0.8, "widths": {"rate": 0.5}},
    {"widths": {"rate": 0.5, "start": 0.4}},  # only one of the laws has a start
]


def holds(rules: dict, probability: float, widths: dict[str, float]) -> bool:
    """The rules as a reader would check them by hand."""
    asked = rules.get("widths", {})
    return probability >= rules.get("probability", 0.0) and all(widths.get(n, math.inf) <= w for n, w in asked.items())


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("rules", RULES)
def test_a_run_stops_where_its_targets_first_hold_and_nowhere_else(model: DomainModel, rules: dict, batch: int) -> None:
    block = steps(model, batch=batch, **rules)
    states = [block.begin(RUNS), *rollout(block, RUNS)]
    reasons = set()
    for run in range(RUNS):
        for before, after in pairwise(states):
            if not before.active[run]:
                assert after.ended[run] == before.ended[run], "a run that ended stays ended"
                assert not after.performed[run]
                continue
            complete = not after.pending or after.ended[run] == Ended.BUDGET or not block.affords(after)[run]
            if complete:
                answered = holds(rules, *believed(model, after, run))
                assert (after.ended[run] == Ended.ANSWERED) == answered
            else:
                assert after.active[run]
        reasons.add(int(states[-1].ended[run]))
    assert reasons == {Ended.ANSWERED, Ended.BUDGET}, "both ways to end were to occur"
    assert (states[-1].spent <= 12 * (1 + 1e-9)).all()


def test_what_holds_before_any_experiment_needs_none(model: DomainModel) -> None:
    block = steps(model, widths={"rate": 100.0})
    begun = block.begin(RUNS)
    assert (begun.ended == Ended.ANSWERED).all()
    assert list(rollout(block, RUNS)) == []


@pytest.mark.parametrize("batch", [1, 2])
def test_no_experiment_is_run_that_tells_too_little(model: DomainModel, batch: int) -> None:
    least = 0.25
    block = steps(model, "expected-information-gain", runs=6, batch=batch, information=least)
    states = [block.begin(6), *rollout(block, 6)]
    for before, after in pairwise(states):
        assert after.choice is not None
        best = after.choice.scores[:, 0]
        if not before.pending:
            assert (best[after.performed] >= least).all()
            assert torch.equal(
                after.ended == Ended.EXHAUSTED, (before.ended == Ended.EXHAUSTED) | before.active & (best < least)
            )
        exhausted = after.ended == Ended.EXHAUSTED
        assert after.cost is not None
        assert (after.cost[exhausted] == 0).all()
        assert torch.equal(after.spent, before.spent + after.cost)
    assert (states[-1].ended == Ended.EXHAUSTED).any()


def test_a_threshold_that_nothing_reaches_ends_all_runs_with_an_empty_step(model: DomainModel) -> None:
    block = steps(model, "expected-information-gain", runs=3, information=1e6)
    (only,) = rollout(block, 3)
    assert (only.ended == Ended.EXHAUSTED).all()
    assert not only.performed.any()
    assert (only.spent == 0).all()
    assert torch.equal(only.belief.log_evidence, torch.zeros(3).double())


def test_rules_change_nothing_before_they_end_a_run(model: DomainModel) -> None:
    """A run under rules is the run without, as far as it goes, to the last bit."""
    ended = 0
    for seed in range(4):
        free = list(rollout(steps(model, runs=1, seed=seed), 1))
        for step, state in enumerate(rollout(steps(model, runs=1, seed=seed, probability=0.9), 1)):
            assert state.performed.all()
            assert torch.equal(state.belief.history.outcomes, free[step].belief.history.outcomes)
            assert torch.equal(state.belief.log_evidence, free[step].belief.log_evidence)
        ended += step + 1 < len(free)
    assert ended > 0


def test_an_unexplained_outcome_is_no_answer(model: DomainModel) -> None:
    """The probabilities are then those of the prior, and the intervals mean nothing."""
    belief = steps(model).begin(2).belief
    dead = tuple(replace(p, log_evidence=torch.full((2,), -math.inf).double()) for p in belief.populations)
    rules = StoppingRules(probability=0.4, widths={"rate": 100.0})
    assert rules.answered(model, belief).all()
    assert not rules.answered(model, replace(belief, populations=dead)).any()


def test_nothing_asked_for_is_never_reached(model: DomainModel) -> None:
    block = steps(model)
    assert not block.stop.answered(model, block.begin(2).belief).any()


def scored(*best: float) -> Choice:
    scores = torch.tensor(best).double()[:, None]
    return Choice(torch.zeros(len(best), 2).double(), torch.zeros(len(best), 1, 2).double(), scores)


def test_exhausted_compares_the_best_score() -> None:
    rules = StoppingRules(information=0.5)
    found = rules.exhausted(scored(0.4999, 0.5, 0.7, -math.inf))  # the last: nothing affordable was scored
    assert found.tolist() == [True, False, False, False]
    assert not StoppingRules().exhausted(scored(0.0)).any()


def test_a_policy_that_scores_nothing_cannot_be_stopped_by_information(model: DomainModel) -> None:
    with pytest.raises(DomainError, match="needs a policy that scores its designs"):
        list(rollout(steps(model, information=0.1), RUNS))


def test_the_first_reason_stays() -> None:
    ended = end(torch.zeros(3, dtype=torch.int64), torch.tensor([True, False, False]), Ended.ANSWERED)
    ended = end(ended, torch.tensor([True, True, False]), Ended.BUDGET)
    assert ended.tolist() == [Ended.ANSWERED, Ended.BUDGET, Ended.NOT_YET]
