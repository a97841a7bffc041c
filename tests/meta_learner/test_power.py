"""Power reports against closed forms, and against the rollout that they are made of."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find, load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.power import PowerReport, Study, power
from meta_learner.evaluation.power_runs import BlockOrder, budget_grid, simulate
from meta_learner.laboratory import Simulation
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.summary import marginals

# y ~ N(mean, 0.5²), mean ~ N(0, 1): after n experiments the posterior's sd is 1/√(1 + 4n), the expected information
# ½ log(1 + 4n).
MEAN = """
format: 1
name: normal-mean
title: What is the mean?
designs: {x: {real: [0, 1]}}
parameters: {mean: {prior: {normal: [0, 1]}, unit: V}}
mechanisms: {level: {let: {mu: mean + 0 * x}}}
outcomes: {y: {normal: {mean: mu, sd: 0.5}}}
budget: 8
goal: learn
"""
# y ~ N(0, 1) or N(1.5, 1): the log odds of the true law are N(1.125 n, 2.25 n) after n experiments.
LAWS = """
format: 1
name: two-levels
title: High or low?
designs: {x: {real: [0, 1]}}
parameters: {idle: {prior: {normal: [0, 1]}}}
mechanisms:
  low: {let: {mu: 0 * x + 0 * idle}}
  high: {let: {mu: 1.5 + 0 * x + 0 * idle}}
outcomes: {y: {normal: {mean: mu, sd: 1}}}
budget: 10
goal: discriminate
"""
COSTLY = """
format: 1
name: costly
title: Cheap or dear?
designs: {x: {real: [0, 1]}, repeats: {integer: [1, 4]}}
parameters: {a: {prior: {normal: [0, 1]}}, b: {prior: {normal: [0, 1]}}}
mechanisms:
  line: {let: {mu: a + b * x}}
  bend: {parameters: {c: {prior: {normal: [0, 2]}}}, let: {mu: a + b * x + c * x**2}}
outcomes: {y: {normal: {mean: mu, sd: 0.5 / sqrt(repeats)}}}
cost: 0.5 + repeats
budget: 9
goal: {predict: {y: [{x: 2, repeats: 1}]}}
"""


@pytest.fixture(scope="module")
def mean() -> PowerReport:
    study = Study(policies=("random",), runs=200, seed=5, particles=1000, widths={"mean": 0.855})
    return power(load_text(MEAN), study)


@pytest.fixture(scope="module")
def laws() -> PowerReport:
    return power(load_text(LAWS), Study(policies=("random",), runs=400, seed=5, particles=50))


def test_the_number_of_experiments_for_a_width_is_the_formulas(mean: PowerReport) -> None:
    """n = ((2·1.645/w)² − 1)/4, rounded up: widths are 0.912 after 3 and 0.798 after 4 experiments."""
    formula = math.ceil(((2 * stats.norm.ppf(0.95) / 0.855) ** 2 - 1) / 4)
    (need,) = mean.policies[0].needs
    assert formula == 4
    assert (need.budget, need.low, need.high, need.experiments) == (4.0, 4.0, 4.0, 4.0)
    (assured,) = mean.policies[0].assured
    assert assured.target.limit == pytest.approx(2 * stats.norm.ppf(0.95) / 33**0.5, rel=0.05)


@pytest.mark.statistical
def test_error_width_and_information_are_the_closed_forms(mean: PowerReport) -> None:
    """4.5 standard errors for three budgets of two curves: a false alarm in 4e-5.

    Standard errors are 7 % of the error and 0.06 nats: 40 % more error or 0.4 nats would be seen.
    """
    (parameter,) = mean.policies[0].parameters
    information = mean.policies[0].information
    assert parameter.worlds == 200
    assert parameter.error[0] == pytest.approx(1.0)
    for n in (1, 4, 8):
        sd = (1 + 4 * n) ** -0.5
        assert parameter.width.median[n] == pytest.approx(2 * stats.norm.ppf(0.95) * sd, rel=0.03)
        assert 0.03 * sd < parameter.error_se[n] < 0.1 * sd
        assert abs(parameter.error[n] - sd) < 4.5 * parameter.error_se[n]
        assert information.standard_error[n] < 0.09
        assert abs(information.mean[n] - 0.5 * math.log(1 + 4 * n)) < 4.5 * information.standard_error[n]


@pytest.mark.statistical
def test_the_share_of_worlds_that_find_their_law_is_the_normal_probability(laws: PowerReport) -> None:
    """4.5 standard deviations for three budgets of two curves: a false alarm in 4e-5; 13 % more or fewer are seen."""
    policy = laws.policies[0]
    (need,) = policy.needs

    def beyond(log_odds: float, n: int) -> float:
        return float(stats.norm.sf((log_odds - 1.125 * n) / (1.5 * n**0.5)))

    for n in (2, 5, 8):
        for curve, expected in (
            (need.reached.share, beyond(math.log(19), n)),
            (policy.found.share, beyond(0.0, n)),
        ):
            assert abs(curve[n] - expected) < 4.5 * (expected * (1 - expected) / 400) ** 0.5
    exact = next(n for n in range(1, 11) if beyond(math.log(19), n) >= 0.8)
    assert exact == 6
    assert need.low is not None
    assert need.high is not None
    assert need.low <= exact <= need.high <= 8


def test_not_within_the_budget_is_said_and_not_extrapolated(laws: PowerReport) -> None:
    report = power(load_text(LAWS), Study(policies=("random",), budget=3, runs=50, seed=5, particles=50))
    (need,) = report.policies[0].needs
    assert (need.budget, need.high, need.experiments) == (None, None, None)
    assert report.budgets == (0.0, 1.0, 2.0, 3.0)
    assert max(need.reached.share) < 0.8


def test_axes_rise_and_knowledge_grows(mean: PowerReport, laws: PowerReport) -> None:
    for report in (mean, laws):
        assert list(report.budgets) == sorted(set(report.budgets))
        assert report.policies[0].experiments == report.budgets
    assert all(np.diff(mean.policies[0].parameters[0].width.median) < 0)
    assert all(np.diff(mean.policies[0].information.mean) > 0)
    assert all(np.diff(laws.policies[0].probability.mean) > 0)


@pytest.mark.parametrize(
    ("budget", "points", "first"), [(9, 10, 1.0), (60, 61, 1.0), (61, 32, 2.0), (1000, 51, 20.0), (1.7, 3, 1.0)]
)
def test_budgets_where_costs_differ(budget: float, points: int, first: float) -> None:
    grid = budget_grid(DomainModel(load_text(COSTLY)), budget)
    assert (len(grid), grid[0], grid[1], grid[-1]) == (points, 0.0, first, budget)
    assert list(grid) == sorted(set(grid))


def test_each_budget_has_every_runs_last_state_within_it() -> None:
    domain = load_text(COSTLY)
    model = DomainModel(domain)
    budgets = budget_grid(model, domain.budget)
    found = simulate(BlockOrder(domain, "random", budgets, seed=3, block=1, runs=6, particles=100))
    laboratory = Simulation(model, seed=3, block=1, runs=6)
    steps = BlockSteps(
        model, POLICIES["random"](), laboratory, budget=domain.budget, seed=3, block=1,
        settings=BeliefSettings(particles=100),
    )  # fmt: skip
    states = [steps.begin(6), *rollout(steps, 6)]
    assert laboratory.worlds is not None
    assert found.law.tolist() == laboratory.worlds.mechanism.tolist()
    assert len({round(state.spent[0].item(), 9) for state in states}) > 3
    for run, law in enumerate(found.law.tolist()):
        for place, budget in enumerate(budgets):
            number = max(index for index, state in enumerate(states) if state.spent[run] <= budget + 1e-9)
            while number > 0 and states[number].spent[run] == states[number - 1].spent[run]:
                number -= 1  # the run had ended
            last = states[number]
            known = marginals(model, last.belief, law)["a"]
            assert found.experiments[run, place] == number
            assert found.probability[run, place] == last.belief.log_probability.exp()[run, law]
            assert found.width["a"][run, place] == (known.high90 - known.low90)[run]
            assert found.error["a"][run, place] == (known.mean - laboratory.worlds.parameters[law]["a"])[run]
            assert math.isnan(found.width["c"][run, place]) == (law == 0)
    assert found.score is not None
    assert found.score.shape == (6, len(budgets))


def test_costs_and_a_score_in_the_report() -> None:
    study = Study(policies=("sobol", "random", "sobol"), runs=30, particles=100, score=0.5, widths={"c": 2.0})
    report = power(load_text(COSTLY), study)
    assert report.unequal
    assert [policy.policy for policy in report.policies] == ["sobol", "random"]
    sobol, random = report.policies
    assert [need.target.kind for need in sobol.needs] == ["law", "width", "score"]
    assert sobol.needs[1].worlds == random.needs[1].worlds < 30, "the same worlds, and only those with the law bend"
    assert sobol.score is not None
    assert 0.5 < sobol.score.mean[0] < 2.0
    assert sobol.score.mean[-1] < 0.5 * sobol.score.mean[0]
    assert sobol.experiments[-1] < 9 / 1.5
    content = report.to_dict()
    assert content["policies"][0]["parameters"][2]["name"] == "c"


def test_the_number_of_processes_changes_nothing() -> None:
    study = Study(policies=("sobol",), budget=2, runs=30, particles=60, widths={"mean": 1.2})
    shares: list[float] = []
    alone = power(load_text(MEAN), study, shares.append)
    assert power(load_text(MEAN), replace(study, processes=2)) == alone
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (Study(policies=("randon",)), "policy: there is no 'randon'; did you mean 'random'"),
        (Study(policies=()), "policy: name one or more"),
        (Study(budget=0.5), "budget 0.5: it pays for no experiment of normal-mean, the cheapest of which costs 1"),
        (Study(budget=math.inf), "budget inf: it must be a finite number above 0"),
        (Study(runs=1), "runs 1: it must be a whole number from 2"),
        (Study(particles=10), "particles 10: it must be a whole number from 50"),
        (Study(processes=0), "processes 0"),
        (Study(assurance=1.0), "assurance 1: it must lie between 0 and 1, such as 0.8"),
        (Study(probability=0.0), "probability 0"),
        (Study(widths={"meen": 1.0}), "no continuous parameter 'meen'; did you mean 'mean'"),
        (Study(widths={"mean": -1.0}), "width mean=-1: the width of an interval is a finite number above 0"),
        (Study(score=0.1), "the goal of normal-mean, learn, has no score"),
    ],
)
def test_a_study_that_cannot_be_made(study: Study, words: str) -> None:
    with pytest.raises(DomainError) as refused:
        power(load_text(MEAN), study)
    assert words in str(refused.value)


def test_a_law_that_breaks_is_refused_before_anything_is_simulated() -> None:
    broken: Domain = load_text(MEAN.replace("mean + 0 * x}", "log(mean) + 0 * x}"))
    with pytest.raises(DomainError, match=r"'level' gives values that are not finite for .* domain check"):
        power(broken, Study(runs=2))


def test_laws_that_integrate_their_unknowns_out_have_a_report() -> None:
    report = power(find("structural-causal"), Study(policies=("random",), budget=3, runs=4, particles=50))
    assert report.policies[0].needs[0].budget is None
    assert len(report.policies[0].experiments) == len(report.budgets)
