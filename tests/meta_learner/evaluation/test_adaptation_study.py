"""Studies of adaptation: curves against closed forms, worlds shared by all policies, shifted worlds, reports."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find, load_text
from domains.worlds import DomainModel
from meta_learner.evaluation.adaptation.curves import Curves, Order, joined, simulate
from meta_learner.evaluation.adaptation.report import SHARES, Report, report
from meta_learner.evaluation.adaptation.shift import draw_shifted
from meta_learner.evaluation.adaptation.study import Group, Study, check, investigate
from meta_learner.evaluation.truths import draw_truths
from meta_learner.policies import POLICIES
from meta_learner.streams import stream

# y ~ N(mean, 0.5²), mean ~ N(0, 1): n experiments tell ½ log(1 + 4n) nats, whatever their designs.
MEAN = """
format: 1
name: normal-mean
title: What is the mean?
designs: {x: {real: [0, 1]}}
parameters: {mean: {prior: {normal: [0, 1]}}}
mechanisms: {level: {let: {mu: mean + 0 * x}}}
outcomes: {y: {normal: {mean: mu, sd: 0.5}}}
budget: 4
goal: learn
"""
# Readings at 1 tell the slope best, and cost as much as those at 0, which tell nothing.
SLOPE = """
format: 1
name: slope
title: How steep, and by which law?
designs: {x: {real: [0, 1]}, repeats: {integer: [1, 2]}}
parameters: {slope: {prior: {normal: [0, 1]}}}
mechanisms:
  line: {let: {mu: slope * x}}
  bend: {let: {mu: slope * x**4 + 2 * x}}
outcomes: {y: {normal: {mean: mu, sd: 1 / sqrt(repeats)}}}
cost: repeats
budget: 3
goal: discriminate
"""


# The same where only readings near 1 tell anything: greedy is clearly better than random.
STEEP = SLOPE.replace("slope * x}", "slope * x**8}").replace("slope * x**4 + 2 * x", "(slope + 2) * x**8")
STEEP = STEEP.replace("1 / sqrt", "0.2 / sqrt").replace("goal: discriminate", "goal: learn")


def order(text: str, policy: str = "random", **changes: object) -> Order:
    plain = Order(
        domain=load_text(text), make=POLICIES[policy], shift="in-distribution", budget=4.0, seed=3, block=0, runs=20,
        particles=100, contrasts=2000, shifted_by=1.0,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def goal(text: str, words: str) -> str:
    return text.replace("goal: discriminate", f"goal: {words}")


@pytest.mark.statistical
def test_information_is_the_closed_form() -> None:
    """Mean sPCE of 400 runs at 4.5 standard errors for two counts of experiments: false alarms in 1e-5; 0.25 nats more
    or fewer would be seen."""
    found = simulate(order(MEAN, runs=400, contrasts=5000))
    assert (found.score[:, 0] == 0).all()
    for n in (1, 4):
        error = found.score[:, n].std() / 20
        assert error < 0.05
        assert abs(found.score[:, n].mean() - 0.5 * math.log(1 + 4 * n)) < 4.5 * error


def test_information_cannot_exceed_the_logarithm_of_the_contrasts() -> None:
    found = simulate(order(MEAN, contrasts=2, runs=50))
    assert found.score.max() <= math.log(3)
    assert 0 < found.capped == int((found.final > math.log(3) - 0.01).sum())


@pytest.mark.parametrize("words", ["learn", "discriminate", "{predict: {y: [{x: 2, repeats: 1}]}}", "{maximise: mu}"])
def test_scores_rise_with_experiments_whatever_the_goal(words: str) -> None:
    found = simulate(order(goal(SLOPE, words), "sobol", budget=6.0, runs=12, particles=100))
    assert np.isfinite(found.score).all()
    assert found.score[:, -1].mean() > found.score[:, 0].mean()
    if words == "discriminate":
        assert found.score[:, 0] == pytest.approx(-0.5), "half each: −(½² + ½²)"
    if words == "{maximise: mu}":
        assert found.score.max() <= 0


def test_ended_runs_stay_where_they_are() -> None:
    found = simulate(order(SLOPE, budget=5.0))
    assert len(set(found.experiments.tolist())) > 1
    for run, made in enumerate(found.experiments.tolist()):
        assert (found.score[run, made:] == found.score[run, made]).all()
        assert (np.diff(found.spent[run, : made + 1]) > 0).all()
        assert found.spent[run, -1] == found.spent[run, made] <= 5.0


def test_policies_meet_the_same_worlds_and_noise() -> None:
    """Where designs say all the same, so do all policies."""
    random, sobol = simulate(order(MEAN)), simulate(order(MEAN, "sobol"))
    assert random.score == pytest.approx(sobol.score, abs=1e-12)
    greedy = simulate(order(MEAN, "expected-information-gain"))
    assert random.score == pytest.approx(greedy.score, abs=1e-12)


def test_scores_that_are_no_numbers_become_the_worst_and_are_counted() -> None:
    one = Curves(np.array([[0.0, -1.0], [0.0, math.nan]]), np.array([[0.0, 1], [0, 1]]), np.array([1, 1]), decisions=2)
    other = Curves(np.array([[0.0, -3.0, 1.0]]), np.array([[0.0, 1, 2]]), np.array([2]), decisions=2)
    found = joined([one, other])
    assert found.score.tolist() == [[0, -1, -1], [0, -3, -3], [0, -3, 1]]
    assert found.spent.tolist() == [[0, 1, 1], [0, 1, 1], [0, 1, 2]]
    assert (found.failed, found.decisions, found.runs) == (1, 4, 3)


def test_shifted_worlds_are_a_prior_standard_deviation_away() -> None:
    model = DomainModel(load_text(MEAN))
    plain = draw_truths(model, 500, stream(3, 0, 0, "world")).worlds
    moved = draw_shifted(model, 500, seed=3, block=0, by=1.0)
    difference = moved.parameters[0]["mean"] - plain.parameters[0]["mean"]
    assert difference.abs().numpy() == pytest.approx(difference.abs()[0].item())
    assert difference.abs()[0].item() == pytest.approx(1.0, abs=0.05), "the spread of 4,096 draws"
    assert 200 < int((difference > 0).sum()) < 300
    assert torch.equal(
        draw_shifted(model, 500, seed=3, block=0, by=0.0).parameters[0]["mean"], plain.parameters[0]["mean"]
    )


@pytest.mark.parametrize("name", ["source-location", "dose-finding", "theophylline", "monetary-policy"])
def test_shifted_worlds_are_possible_ones(name: str) -> None:
    """Bounds, orders of exchangeable parameters and laws are kept; what an experiment gives is finite."""
    model = DomainModel(find(name))
    worlds = draw_shifted(model, 60, seed=1, block=0, by=1.0)
    assert torch.equal(worlds.mechanism, draw_truths(model, 60, stream(1, 0, 0, "world")).worlds.mechanism)
    designs = model.space.uniform(60, stream(1, 0, 0, "design"))
    outcomes = model.simulate(worlds, designs, stream(1, 0, 0, "noise"))
    assert outcomes.isfinite().to(torch.float64).mean() > 0.95
    for parameter in find(name).parameters:
        prior = parameter.prior
        if prior is not None and prior.family in ("beta", "lognormal", "uniform", "gamma"):
            for entry in parameter.entries:
                values = [law[entry] for law in worlds.parameters if entry in law]
                assert all(bool(value.isfinite().all()) for value in values)
    if name == "source-location":
        places = worlds.parameters[0]
        first = sorted(key for key in places if key.startswith(("x", "a", "s")))
        assert first, places.keys()


def study(**changes: object) -> Study:
    plain = Study({name: POLICIES[name] for name in ("sobol", "random")}, runs=8, seed=2, particles=60, contrasts=500)
    return replace(plain, resamples=200, **changes)  # type: ignore[arg-type]


def groups(*texts: str) -> list[Group]:
    return [Group(load_text(text), shift) for text in texts for shift in ("in-distribution", "shifted-parameters")]


@pytest.fixture(scope="module")
def found() -> Report:
    some = study(training={"sobol": 50.0}, baseline="random")
    return report(some, investigate(groups(STEEP), some))


def test_a_report_holds_every_agent_and_level(found: Report) -> None:
    assert [(g.shift, [a.summary.policy for a in g.agents]) for g in found.groups] == [
        ("in-distribution", ["sobol", "random"]), ("shifted-parameters", ["sobol", "random"]),
    ]  # fmt: skip
    for group in found.groups:
        assert group.unequal
        assert group.budgets == (0.0, 1.0, 2.0, 3.0)
        sobol, random = group.agents
        assert random.summary.against is None
        assert random.own == pytest.approx(group.scale.random)
        against = sobol.summary.against
        assert against is not None
        scale = group.scale.greedy - group.scale.random
        assert against.difference.value == pytest.approx((sobol.own - random.own) / scale)
        assert against.break_even is not None
        assert [reach.share for reach in sobol.reach] == list(SHARES)
        assert [reach.cost.reached for reach in sobol.reach] == sorted(
            (r.cost.reached for r in sobol.reach), reverse=True
        )
        assert sobol.curve[0].value == pytest.approx(0, abs=1e-9)


def test_censored_runs_are_kept_and_never_count_as_reached(found: Report) -> None:
    for group in found.groups:
        for agent in group.agents:
            for reach in agent.reach:
                times = agent.times[f"{reach.share:g}"]
                assert len(times.time) == group.runs == reach.experiments.runs
                assert int(times.reached.sum()) == reach.experiments.reached == reach.cost.reached
                assert reach.experiments.reached < group.runs, "three readings cannot be enough in every world"
                finals = np.array(agent.finals)
                assert times.reached[finals >= reach.threshold].all()
                assert reach.cost.restricted_mean <= reach.cost.horizon == 3.0


def test_where_greedy_is_no_better_than_random_nothing_is_told_together() -> None:
    """Readings that do not depend on the mean tell nothing of it, however many."""
    flat = MEAN.replace("mean + 0 * x", "0 * mean + 0 * x").replace("normal-mean", "flat")
    some = study(budget=1.0)
    told = report(some, investigate(groups(flat, MEAN)[::2], some))
    assert [group.clear for group in told.groups] == [False, True]
    (shift,) = told.shifts
    assert (shift.domains, shift.left_out) == (("normal-mean",), ("flat",))


def test_greedy_is_its_own_reference_at_the_same_budget() -> None:
    """Once the mark is set by no larger a budget, greedy is where it is in every world."""
    policies = {name: POLICIES[name] for name in ("expected-information-gain", "random")}
    (runs,) = investigate(groups(STEEP)[:1], study(policies=policies, reference=1.0))
    assert (runs.reference.score == runs.agents["expected-information-gain"].score).all()
    assert not (runs.reference.score == runs.agents["random"].score).all()


def test_processes_share_the_work_and_change_nothing() -> None:
    some = groups(MEAN)[:1]
    alone, shared = (investigate(some, study(processes=count, budget=1.0, runs=27))[0] for count in (1, 2))
    for name, curves in alone.agents.items():
        assert (curves.score == shared.agents[name].score).all()
        assert (curves.spent == shared.agents[name].spent).all()
    assert (alone.reference.score == shared.reference.score).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": 0.0}, "reference 0: it is a multiple of the budget"),
        ({"runs": 3}, "runs 3: it must be at least 4"),
        ({"baseline": "guess"}, "baseline: there is no 'guess'; they are random, sobol"),
        ({"training": {"greedy": 5.0}}, "training greedy=5: name one of sobol, random"),
        ({"training": {"sobol": math.inf}}, "a finite number of experiments"),
        ({"budget": 0.5}, "it pays for no experiment of slope"),
        ({"policies": {}}, "name at least one domain and one policy"),
    ],
)
def test_what_cannot_be_studied_is_said(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DomainError, match=message.replace("'", ".")):
        check(groups(SLOPE), replace(study(), **changes))  # type: ignore[arg-type]


def test_domains_that_cannot_be_told_apart_or_shifted() -> None:
    with pytest.raises(DomainError, match="is asked for twice; domains of one name"):
        check([*groups(SLOPE)[:1], *groups(SLOPE)[:1]], study())
    exact: Domain = find("structural-causal")
    with pytest.raises(DomainError, match="the laws of structural-causal have no unknown constants to shift"):
        check([Group(exact, "shifted-parameters")], study())
