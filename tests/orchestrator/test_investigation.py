"""The notebook's interface: five lines, and the same designs and beliefs as a campaign."""

from pathlib import Path

import pytest
import torch

from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockSteps, rollout
from orchestrator.errors import RequestError
from orchestrator.investigation import Investigation
from orchestrator.recording import belief_rows

SMALL = BeliefSettings(particles=200, moves=2)


def test_five_lines() -> None:
    question = Investigation("enzyme-kinetics", settings=SMALL)
    design = question.ask()
    question.tell(design, {"velocity": 76.0})
    assert sum(question.belief["mechanism_probability"].values()) == pytest.approx(1)
    assert "after 1 experiment:" in question.finding()


def test_asking_again_gives_the_same_design_with_its_reasons() -> None:
    question = Investigation("enzyme-kinetics", settings=SMALL)
    assert question.candidates == []
    design = question.ask()
    assert question.ask() == design
    leading, score = question.candidates[0]
    assert leading == design
    assert score == max(score for _, score in question.candidates)
    question.tell(design, {"velocity": 76.0})
    assert question.candidates == []


@pytest.mark.parametrize("policy", ["random", "expected-information-gain"])
def test_the_same_as_a_campaign_of_one_run(costly_model: DomainModel, policy: str) -> None:
    """Told the outcomes of a block of one run with the same seed, it asks the same designs and believes the same."""
    laboratory = Simulation(costly_model, seed=5, block=0, runs=1)
    steps = BlockSteps(
        costly_model, POLICIES[policy](), laboratory, budget=6.0, seed=5, block=0, settings=SMALL
    )  # fmt: skip
    question = Investigation(costly_model.domain, policy=policy, budget=6.0, seed=5, settings=SMALL)
    for state in rollout(steps, 1):
        assert state.choice is not None
        assert state.outcomes is not None
        design = question.ask()
        assert design == costly_model.space.to_names(state.choice.designs[0])
        question.tell(design, {"amount": state.outcomes[0, 0].item()})
        assert question.belief == belief_rows(costly_model, state.belief)[0]
        for mine, theirs in zip(question._state.belief.populations, state.belief.populations, strict=True):
            assert torch.equal(mine.z, theirs.z)
            assert torch.equal(mine.log_evidence, theirs.log_evidence)
    with pytest.raises(DomainError, match=r"the budget of 6 is spent \([\d.]+\); start .* with a larger budget"):
        question.ask()


def test_what_was_not_asked_for_may_be_told_in_any_order(costly_model: DomainModel) -> None:
    """Measurements made before count as any other: the order changes the belief by Monte Carlo error only."""
    made = [({"time": 1.0, "method": "quick"}, 0.4), ({"time": 2.0, "method": "quick"}, 0.15)]
    means = []
    for order in (made, made[::-1]):
        question = Investigation(costly_model.domain, settings=BeliefSettings(particles=4000, moves=5))
        for design, amount in order:
            question.tell(design, {"amount": amount})
        means.append(question.belief["mechanisms"]["exponential"]["rate"])
    assert means[0]["mean"] == pytest.approx(means[1]["mean"], abs=0.1 * means[0]["sd"])


def test_a_missing_value_teaches_nothing_but_costs(costly_model: DomainModel) -> None:
    question = Investigation(costly_model.domain, budget=3.0, settings=SMALL)
    before = question.belief["mechanisms"]
    question.tell({"time": 2.9, "method": "quick"}, {"amount": None})
    after = question.belief["mechanisms"]
    assert after["linear"]["start"] == pytest.approx(before["linear"]["start"], rel=1e-9)
    with pytest.raises(DomainError, match="the budget of 3 is spent"):
        question.ask()


@pytest.mark.parametrize(
    ("design", "outcome", "message"),
    [
        ({"time": 9.0, "method": "quick"}, {"amount": 1.0}, "between 0.5 and 4"),
        ({"time": 1.0, "method": "slow"}, {"amount": 1.0}, "'slow' is not one of quick, careful"),
        ({"time": 1.0}, {"amount": 1.0}, "missing method"),
        ({"time": 1.0, "method": "quick", "x": 1.0}, {"amount": 1.0}, "unknown x"),
        ({"time": 1.0, "method": "quick"}, {}, "missing amount"),
        ({"time": 1.0, "method": "quick"}, {"amount": 1.0, "mass": 2.0}, "unknown mass"),
        ({"time": 1.0, "method": "quick"}, {"amount": float("nan")}, "write None where nothing came back"),
        ({"time": 1.0, "method": "quick"}, {"amount": "1.0"}, "'1.0' is not a finite number"),
        ({"time": 1.0, "method": "quick"}, {"amount": True}, "True is not a finite number"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    costly_model: DomainModel, design: dict[str, float | str], outcome: dict[str, float | None], message: str
) -> None:
    question = Investigation(costly_model.domain, settings=SMALL)
    asked, before = question.ask(), question.belief
    with pytest.raises(DomainError, match=message):
        question.tell(design, outcome)
    assert question.belief == before
    assert question.ask() == asked


def test_unknown_names_and_impossible_budgets(costly_file: Path) -> None:
    with pytest.raises(RequestError, match="did you mean 'random'"):
        Investigation("enzyme-kinetics", policy="randon")
    with pytest.raises(DomainError, match="did you mean 'enzyme-kinetics'"):
        Investigation("enzyme-kinetic")
    assert Investigation(costly_file, settings=SMALL).domain.name == "decay"


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_is_a_finite_number_above_zero(budget: float) -> None:
    with pytest.raises((DomainError, RequestError), match="budget"):
        Investigation("enzyme-kinetics", budget=budget, settings=SMALL)


def test_a_batch_in_a_notebook_is_that_of_a_campaign(costly_model: DomainModel) -> None:
    """The same designs and beliefs as a block of one run; each design of the batch is told when it comes back."""
    conduct = {"budget": 8.0, "seed": 5, "settings": SMALL, "batch": 3}
    laboratory = Simulation(costly_model, seed=5, block=0, runs=1)
    steps = BlockSteps(costly_model, POLICIES["expected-information-gain"](), laboratory, block=0, **conduct)  # type: ignore[arg-type]
    question = Investigation(costly_model.domain, **conduct)  # type: ignore[arg-type]
    before = 0
    for state in rollout(steps, 1):
        assert state.choice is not None
        assert state.outcomes is not None
        batch = question.ask_batch()
        assert batch[0] == question.ask() == costly_model.space.to_names(state.choice.designs[0])
        assert len(batch) == len(state.pending) + 1
        before = max(before, len(batch))
        question.tell(batch[0], {"amount": state.outcomes[0, 0].item()})
        assert question.belief == belief_rows(costly_model, state.belief)[0]
    assert before == 3
    with pytest.raises(DomainError, match="the budget of 8 is spent"):
        question.ask_batch()


def test_a_batch_is_told_in_any_order_and_chosen_anew_after_surprises(costly_model: DomainModel) -> None:
    question = Investigation(costly_model.domain, settings=SMALL, batch=3, budget=20)
    first, second, third = question.ask_batch()
    question.tell(second, {"amount": 0.4})
    assert question.ask_batch() == [first, third]
    question.tell(third, {"amount": 0.4})
    assert question.ask_batch() == [first]
    question.tell({"time": 1.234, "method": "quick"}, {"amount": 0.3})
    assert len(question.ask_batch()) == 3


def test_an_investigation_ends_with_its_answer(costly_model: DomainModel) -> None:
    question = Investigation(costly_model.domain, settings=SMALL, stop={"widths": {"rate": 1.0}})
    ended = "It ended with the precision asked for: the 90 % interval of rate is at most 1 wide."
    while ended not in question.finding():
        rate = question.belief["parameters"]["rate"]
        assert rate["high90"] - rate["low90"] > 1.0
        question.tell(question.ask(), {"amount": 0.3})
    rate = question.belief["parameters"]["rate"]
    assert rate["high90"] - rate["low90"] <= 1.0
    with pytest.raises(
        DomainError, match="has ended: it stops once the 90 % interval of rate is at most 1 wide; start"
    ):
        question.ask()


def test_an_investigation_ends_when_nothing_is_worth_doing(costly_model: DomainModel) -> None:
    question = Investigation(costly_model.domain, settings=SMALL, stop={"information": 1e6})
    for _ in range(2):
        with pytest.raises(
            DomainError, match=r"no experiment is expected to tell 1e\+06 nats per unit of cost; start it"
        ):
            question.ask()
    assert "It ended since no experiment was expected to tell" in question.finding()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stop": {"probability": 2}}, "--stop-probability 2: .*less than 1"),
        ({"stop": {"widths": {"rat": 1.0}}}, "did you mean 'rate'"),
        ({"stop": {"information": 0.1}, "policy": "random"}, "the policy random scores no designs"),
        ({"batch": 0}, "--batch 0"),
    ],
)
def test_rules_that_cannot_be(costly_model: DomainModel, values: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Investigation(costly_model.domain, settings=SMALL, **values)  # type: ignore[arg-type]
