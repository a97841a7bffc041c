"""The examination of a domain: small documents with exactly one defect each, and healthy ones that raise no alarm."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from domains import catalogue
from domains.loading import load_file, load_text
from domains.worlds import DomainModel
from meta_learner.examination import Examination, examine
from meta_learner.examination.rivals import rivals, screen

HEALTHY = """\
format: 1
name: healthy
designs:
  x: {real: [0.1, 4]}
parameters:
  a: {prior: {normal: [2, 0.3]}}
mechanisms:
  straight: {let: {mean: a * x}}
  bent: {let: {mean: a * x**2}}
outcomes:
  y: {normal: {mean: mean, sd: 0.3}}
budget: 5
goal: learn
"""


def model_of(text: str) -> DomainModel:
    return DomainModel(load_text(text))


def changed(*changes: tuple[str, str]) -> DomainModel:
    text = HEALTHY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return model_of(text)


def remarks(found: Examination) -> list[tuple[str, str]]:
    return [(remark.level, remark.about) for remark in found.remarks]


def test_a_healthy_domain_has_nothing_to_remark_and_is_measured_the_same_twice() -> None:
    seen: list[tuple[int, int]] = []
    found = examine(changed(), lambda done, steps: seen.append((done, steps)))
    assert found.remarks == ()
    assert found.ok
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(law.broken == 0 and law.seconds > 0 for law in found.laws)
    assert _without_seconds(found) == _without_seconds(examine(changed()))


def _without_seconds(found: Examination) -> dict[str, Any]:
    plain = asdict(found)
    for law in plain["laws"]:
        del law["seconds"]
    return plain


# one defect each: the changes, and the level and subject of the only remark
DEFECTS: dict[str, tuple[Iterable[tuple[str, str]], tuple[str, str]]] = {
    "a setting that no law names": ([("  x:", "  z: {choice: [on, off]}\n  x:")], ("warning", "setting z")),
    "a setting without effect": (
        [("  x:", "  z: {real: [1, 2]}\n  x:"), ("a * x**2", "a * x**2 + 0 * z")],
        ("warning", "setting z"),
    ),
    "a setting that only the goal sees": (
        [("  x:", "  z: {real: [1, 2]}\n  x:"), ("goal: learn", "goal: {maximise: mean - z}")],
        ("note", "setting z"),
    ),
    "laws that say the same": ([("a * x**2", "(3 * x * a - a * x) / 2")], ("warning", "laws straight and bent")),
    "a parameter that no law names": (
        [("  a:", "  b: {prior: {normal: [0, 1]}}\n  a:"), ("  bent: {let: {mean: a * x**2}}\n", "")],
        ("warning", "parameter b"),
    ),
    "a parameter without effect under one law": (
        [("  a:", "  b: {prior: {normal: [0, 1]}}\n  a:"), ("a * x**2", "a * x**2 + b")],
        ("warning", "parameter b"),
    ),
    "a parameter that only the goal sees": (
        [
            ("  a:", "  b: {prior: {normal: [0, 1]}}\n  a:"),
            ("goal: learn", "goal: {maximise: mean - b * x}"),
            ("  bent: {let: {mean: a * x**2}}\n", ""),
        ],
        ("warning", "parameter b"),
    ),
    "a constant that nothing uses": ([("  a:", "  k: 3\n  a:")], ("note", "constant k")),
    "outcomes at a bound": ([("sd: 0.3}", "sd: 0.3}, censor: [null, 2.0]")], ("warning", "outcome y")),
    "a goal that no design changes": ([("goal: learn", "goal: {maximise: a}")], ("warning", "goal")),
    "a budget that pays for nothing": ([("budget: 5", "cost: 6 + abs(x)\nbudget: 5")], ("failure", "budget")),
    "a law that breaks": ([("a * x**2", "x * sqrt(a - 1.5)")], ("failure", "law bent")),
    "a law that breaks seldom": ([("a * x**2", "x * sqrt(a - 1.2)")], ("note", "law bent")),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_and_nothing_else(defect: str) -> None:
    changes, expected = DEFECTS[defect]
    found = examine(changed(*changes))
    assert remarks(found) == [expected]
    assert found.ok == (expected[0] != "failure")


def test_where_a_law_breaks_is_named() -> None:
    (_, bent) = examine(changed(("a * x**2", "x * sqrt(a - 1.5)"))).laws
    assert bent.broken == pytest.approx(norm.cdf(-0.5 / 0.3), abs=0.013)  # 4 standard errors of 4,000 draws
    assert bent.region is not None
    assert bent.region.name == "a"
    low, high = map(float, bent.region.values.split(" to "))
    assert low < high < 1.5
    assert "'a': 1." in bent.example


def test_where_a_law_breaks_is_named_for_a_choice() -> None:
    (_, bent) = examine(
        changed(
            ("  x:", "  site: {choice: [in, out]}\n  x:"), ("a * x**2", "\"log(where(site == 'in', -1, 1)) + a * x\"")
        )
    ).laws
    assert bent.region is not None
    assert (bent.region.name, bent.region.values, bent.region.rest) == ("site", "in", "out")


def test_the_share_at_a_bound() -> None:
    """Under a known law: P(y ≥ 2.0) averaged over x, uniform; 4 standard errors of 4,000 draws."""
    (edge,) = examine(
        changed(
            ("  a: {prior: {normal: [2, 0.3]}}", "  a: 2"),
            ("  bent: {let: {mean: a * x**2}}\n", ""),
            ("sd: 0.3}", "sd: 0.3}, censor: [-5, 2.0]"),
        )
    ).edges[1:]
    expected = quad(lambda x: norm.sf((2.0 - 2 * x) / 0.3), 0.1, 4)[0] / 3.9
    assert (edge.outcome, edge.side, edge.bound) == ("y", "upper", 2.0)
    assert edge.share == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 4000) ** 0.5)


def test_a_parameter_that_acts_through_anothers_prior_is_no_idle_one() -> None:
    """In a beta prior, whose draw does not move with its arguments, as in a normal one, whose draw does."""
    for family in ("{beta: [spread, 3]}", "{normal: [2, spread]}"):
        spread = "  spread: {prior: {lognormal: [0, 0.2]}}\n  a:"
        found = examine(changed(("  a: {prior: {normal: [2, 0.3]}}", f"{spread} {{prior: {family}}}")))
        assert found.remarks == ()


def test_the_information_about_which_of_two_known_laws_holds() -> None:
    """Against the Jensen–Shannon divergence of two normals by quadrature; the best place is where they differ most."""
    model = changed(
        ("  a: {prior: {normal: [2, 0.3]}}", "  a: 0.25"), ("a * x**2", "0 * x"), ("a * x}", "a * x}, weight: 3")
    )
    found = rivals(model.domain, (0, 1), screen(model.domain))
    x = float(found.design["x"])

    def integrand(y: float) -> float:
        p, q = norm.pdf(y, 0.25 * x, 0.3), norm.pdf(y, 0, 0.3)
        return 0.5 * float(p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q)))

    assert x > 3.5
    assert found.single.nats == pytest.approx(quad(integrand, -3, 4)[0], abs=4 * found.single.error)
    assert found.single.error < 0.01
    assert not found.alike


def test_laws_that_only_several_experiments_tell_apart_are_not_called_alike() -> None:
    """A random slope against the same slope mirrored at 0: any one outcome has the same law under both."""
    found = examine(
        changed(("[0.1, 4]", "[-4, 4]"), ("normal: [2, 0.3]", "normal: [0, 1]"), ("a * x**2", "a * abs(x)"))
    )
    (pair,) = found.pairs
    assert pair.single.noise
    assert pair.together is not None
    assert pair.together.nats > 0.3
    assert found.remarks == ()


def test_designs_that_tell_next_to_nothing_are_noted_with_their_place() -> None:
    only = ("  bent: {let: {mean: a * x**2}}\n", "")
    found = examine(changed(only, ("{mean: a * x}", "{mean: 'where(x > 3.5, a, 1) * x'}")))
    assert remarks(found) == [("note", "designs")]
    assert found.candidates is not None
    assert found.candidates.useless == pytest.approx(3.4 / 3.9, abs=0.02)
    assert found.candidates.where is not None
    assert float(found.candidates.where.values.split(" to ")[1]) < 3.5 < float(found.candidates.where.rest.split()[0])


@pytest.mark.parametrize(
    "name",
    ["dose-finding", "hyperbolic-discounting", "prey-population", "psychometric-function",
     "source-location", "theophylline"],
)  # fmt: skip
def test_a_sound_domain_of_the_catalogue_raises_no_alarm(name: str) -> None:
    assert examine(DomainModel(load_file(catalogue.path(name)))).remarks == ()
