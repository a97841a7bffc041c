"""A domain in words, prior ranges against scipy, and the LaTeX fragment."""

import math
from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from domains import catalogue, latex, wording
from domains.document import Parameter, Prior
from domains.expressions import parse
from domains.loading import load_file, load_text
from domains.prior_ranges import prior_range


def unknown(family: str, *arguments: str, low: str = "", high: str = "", values: tuple[float, ...] = ()) -> Parameter:
    bounds = [parse(bound) if bound else None for bound in (low, high)]
    return Parameter("x", Prior(family, tuple(map(parse, arguments)), *bounds, values))


@pytest.mark.parametrize(
    ("parameter", "law"),
    [
        (unknown("normal", "1", "k"), stats.norm(1, 2)),
        (unknown("lognormal", "log(3)", "sqrt(0.25)"), stats.lognorm(0.5, scale=3)),
        (unknown("halfnormal", "2"), stats.halfnorm(scale=2)),
        (unknown("uniform", "-1", "3"), stats.uniform(-1, 4)),
        (unknown("loguniform", "0.1", "10"), stats.loguniform(0.1, 10)),
        (unknown("beta", "2", "5"), stats.beta(2, 5)),
        (unknown("gamma", "3", "2"), stats.gamma(3, scale=0.5)),
        (unknown("exponential", "4"), stats.expon(scale=0.25)),
        (unknown("studentt", "4", "1", "2"), stats.t(4, 1, 2)),
        (unknown("poisson", "3"), stats.poisson(3)),
        (unknown("normal", "1", "1", low="0"), stats.truncnorm(-1, math.inf, 1, 1)),
        (unknown("halfnormal", "1", low="1", high="2"), stats.truncnorm(1, 2)),
        (unknown("exponential", "1", low="2"), stats.expon(2)),
        (unknown("uniform", "0", "4", low="1", high="2"), stats.uniform(1, 1)),
        (
            unknown("categorical", "0.5", "0.25", "0.25", values=(3, 1, 2)),
            stats.rv_discrete(values=([1, 2, 3], [0.25, 0.25, 0.5])),
        ),
    ],
    ids=lambda case: case.prior.family if isinstance(case, Parameter) else "",
)  # fmt: skip
def test_where_a_prior_puts_a_parameter(parameter: Parameter, law: Any) -> None:
    found = prior_range(parameter, {"k": 2.0})
    assert found is not None
    assert (found.median, found.low, found.high) == pytest.approx(law.ppf([0.5, 0.05, 0.95]), rel=1e-9)


@pytest.mark.parametrize("family", ["lognormal", "gamma", "beta", "studentt", "loguniform"])
def test_a_truncated_prior_keeps_its_shape(family: str) -> None:
    arguments = {"studentt": ("4", "0.5", "1"), "loguniform": ("0.1", "5")}.get(family, ("2", "3"))
    law = {
        "lognormal": stats.lognorm(3, scale=math.exp(2)),
        "gamma": stats.gamma(2, scale=1 / 3),
        "beta": stats.beta(2, 3),
        "studentt": stats.t(4, 0.5, 1),
        "loguniform": stats.loguniform(0.1, 5),
    }[family]
    found = prior_range(unknown(family, *arguments, low="0.2", high="0.7"), {})
    low, high = law.cdf([0.2, 0.7])
    assert found is not None
    assert (found.median, found.low, found.high) == pytest.approx(
        law.ppf([low + p * (high - low) for p in (0.5, 0.05, 0.95)])
    )


@pytest.mark.parametrize(("low", "high"), [("180", None), ("200", "400"), ("4000", "4001"), ("30", "60")])
def test_the_range_of_a_normal_prior_cut_far_out(low: str, high: str | None) -> None:
    found = prior_range(unknown("normal", "40", "15", low=low, **({"high": high} if high else {})), {})
    law = stats.truncnorm((float(low) - 40) / 15, math.inf if high is None else (float(high) - 40) / 15, 40, 15)
    assert found is not None
    assert (found.low, found.median, found.high) == pytest.approx(tuple(law.ppf([0.05, 0.5, 0.95])), rel=1e-9)


def test_a_prior_on_other_unknowns_has_no_range() -> None:
    assert prior_range(unknown("normal", "mu", "1"), {}) is None
    assert prior_range(unknown("normal", "0", "1", low="mu"), {}) is None
    assert wording.spread(unknown("normal", "mu", "1"), {}) == "depends on other unknowns"


def test_everything_of_the_format_has_words_and_latex(full: str) -> None:
    found = load_text(full)
    law = found.mechanisms[0]
    assert {p.name: wording.prior(p) for p in law.unknowns} == {
        "a": "a ~ LogNormal(0, 1) between 0.1 and 10",
        "spread": "spread ~ Normal(a, 0.5·a) above 0",
        "w": "w ~ Dirichlet(1, 1, 2)",
        "k": "k ~ Categorical(1: 0.5, 2: 0.25, 3: 0.25)",
        "c": "c ~ Poisson(3)",
        "b1": "b1 ~ Beta(2, 2)",
        "b2": "b2 ~ Beta(2, 2)",
        "u": "u ~ Uniform(−1, 1)",
        "v": "v ~ StudentT(4, 0, 1)",
    }
    assert [" ".join(line) for line in wording.dynamics(law)] == [
        "eaten = a·prey² / (1 + a·prey²)",
        "d prey/dt = −eaten·exp(−t)",
        "prey(t = 0) = n0",
        "d last/dt = 0·prey",
        "last(t = 0) = deep",
        "read at t = 24",
    ]
    assert [line.left for line in wording.equations(law, hidden=frozenset({"eaten"}))] == [
        *("mean_w", "eaten", "d prey/dt", "prey(t = 0)", "d last/dt", "last(t = 0)", "read at", "left"),
    ]
    assert " ".join(wording.outcome(found.outcomes[1])) == (
        "seen ~ NegativeBinomial(mean = prey, dispersion = k), censored above 100"
    )
    assert " ".join(wording.outcome(found.outcomes[2])) == "kind ~ Categorical(p = [w[0], w[1], w[2]])"
    assert wording.exchangeable(found) == "(b1) and (b2) may be swapped without changing anything"
    assert wording.goal(found) == "predict alive at 1 design"
    assert wording.points(found) == ["alive where n0 = 500, dose = 0.3, site = on"]
    assert wording.shared(found, "let") == {"mean_w", "left"}
    fragment = latex.fragment(found)
    assert r"\frac{\mathrm{d} \mathit{prey}}{\mathrm{d} t} &= -\mathit{eaten} \cdot \exp\left(-t\right)" in fragment
    assert r"a &\sim \operatorname{LogNormal}\left(0, 1\right),\ a > 0.1,\ a < 10" in fragment


@pytest.mark.parametrize(
    ("name", "goal", "budget"),
    [
        ("enzyme-kinetics", "learn every unknown and which law holds", "budget = 12 (experiments a run: each costs 1)"),
        ("psychometric-function", "learn threshold and slope, whatever the rest is", None),
        ("gene-switch", "find out which law holds", "cost of one experiment = 1 + time/24"),
        ("dose-finding", "find the design with the largest benefit − 1.5·harm", "cost of one experiment = cohort"),
        ("source-location", "learn every unknown", None),
    ],
)
def test_goal_and_budget_in_words(name: str, goal: str, budget: str | None) -> None:
    domain = load_file(catalogue.path(name))
    assert wording.goal(domain) == goal
    if budget:
        assert " ".join(wording.budget(domain)[0]) == budget


@pytest.mark.parametrize("name", catalogue.names())
def test_the_latex_of_the_catalogue_is_balanced(name: str) -> None:
    """Every environment, bracket and brace that opens closes."""
    fragment = latex.fragment(load_file(catalogue.path(name)))
    for opened, closed in ((r"\begin{", r"\end{"), (r"\left(", r"\right)"), (r"\left|", r"\right|"), ("\\[", "\\]")):
        assert fragment.count(opened) == fragment.count(closed)
    bare = fragment.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert fragment.count(r"\paragraph") == min(64, len(load_file(catalogue.path(name)).mechanisms)) + 1


def test_a_minimised_objective_in_words() -> None:
    domain = load_file(catalogue.path("dose-finding"))
    minimised = replace(domain, goal=replace(domain.goal, kind="minimise"))
    assert wording.goal(minimised).startswith("find the design with the smallest")
