"""Truncated priors: densities, bounds and draws of every family, for one bound, the other and both, against scipy.

Draws are compared with their law as in test_priors: sup |F_n − F| of 50,000 draws, α = 1e-6 a case (LIMIT = 0.012).
The effect to detect is a renormalisation wrong by 5 %, which moves F by 0.05 at its end; power > 99.9 %.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats

from domains.loading import load_text
from domains.priors import FAMILIES, PriorFamily
from domains.truncation import truncated
from domains.worlds import DomainModel

DRAWS = 50_000
LIMIT = math.sqrt(math.log(2 / 1e-6) / (2 * DRAWS))


def _tensors(*arguments: float) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(argument, dtype=torch.float64) for argument in arguments)


@dataclass(frozen=True)
class Case:
    """A family with arguments and bounds (None: none on that side), and scipy's law without the bounds."""

    family: str
    arguments: tuple[float, ...]
    low: float | None
    high: float | None
    law: stats.rv_continuous

    @property
    def truncated(self) -> PriorFamily:
        return truncated(self.family, low=self.low is not None, high=self.high is not None)

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return _tensors(*self.arguments, *(bound for bound in (self.low, self.high) if bound is not None))

    @property
    def bounds(self) -> tuple[float, float]:
        return (-math.inf if self.low is None else self.low, math.inf if self.high is None else self.high)


LAWS = [
    ("normal", (1.0, 2.0), stats.norm(1, 2)), ("lognormal", (0.7, 0.5), stats.lognorm(0.5, scale=math.exp(0.7))),
    ("halfnormal", (2.0,), stats.halfnorm(scale=2)), ("uniform", (-1.0, 3.0), stats.uniform(-1, 4)),
    ("loguniform", (0.01, 30.0), stats.loguniform(0.01, 30)), ("beta", (2.0, 5.0), stats.beta(2, 5)),
    ("gamma", (0.6, 0.5), stats.gamma(0.6, scale=2)), ("exponential", (0.2,), stats.expon(scale=5)),
    ("studentt", (4.0, 1.0, 0.5), stats.t(4, 1, 0.5)),
]  # fmt: skip
SHARES = [(0.3, None), (None, 0.8), (0.2, 0.7), (0.999, None), (None, 1e-4), (0.9, 0.90001)]
CASES = [
    Case(name, arguments, *(None if share is None else float(law.ppf(share)) for share in shares), law)
    for name, arguments, law in LAWS
    for shares in SHARES
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}-{case.low}-{case.high}")


def test_every_continuous_family_has_cases() -> None:
    assert {case.family for case in CASES} == {name for name, family in FAMILIES.items() if family.line is not None}


@each_case
def test_the_density_is_the_textbooks_renormalised(case: Case) -> None:
    """log p(w) − log |dx/dw| = log f(x) − log(F(high) − F(low)), x within the bounds and rising with w."""
    w = torch.linspace(-6, 5, 301, dtype=torch.float64, requires_grad=True)
    x = case.truncated.transform(w, case.tensors)
    (slope,) = torch.autograd.grad(x.sum(), w)
    low, high = case.bounds
    assert ((x >= low) & (x <= high)).all()
    resolved = slope.numpy() > 1e-7 * x.detach().abs().numpy()  # elsewhere x is too close to a bound to tell
    assert resolved.sum() > 30
    assert (x.detach().diff()[torch.tensor(resolved[1:])] > 0).all()
    with torch.no_grad():
        found = case.truncated.log_density(w, case.tensors) - slope.log()
    mass = case.law.cdf(high) - case.law.cdf(low) if case.law.cdf(low) < 0.5 else case.law.sf(low) - case.law.sf(high)
    wanted = case.law.logpdf(x.detach().numpy()) - math.log(mass)
    np.testing.assert_allclose(found[resolved], wanted[resolved], rtol=1e-6, atol=1e-6)


@each_case
def test_the_density_of_w_integrates_to_one(case: Case) -> None:
    """∫ p(w) dw by the trapezoidal rule in s, w = sinh s."""
    s = torch.linspace(-7, 7, 8001, dtype=torch.float64)
    density = case.truncated.log_density(torch.sinh(s), case.tensors).exp().nan_to_num(nan=0.0)
    assert torch.trapezoid(density * torch.cosh(s), s).item() == pytest.approx(1.0, abs=1e-7)


@pytest.mark.statistical
@each_case
def test_draws_follow_the_truncated_law(case: Case) -> None:
    """False alarms: α = 1e-6 a case; a mass wrong by 5 % is seen, power > 99.9 % (see the module)."""
    w = case.truncated.sample(torch.Size([DRAWS]), case.tensors, torch.Generator().manual_seed(20_261_108))
    x = case.truncated.transform(w, case.tensors).numpy()
    assert case.truncated.log_density(w, case.tensors).isfinite().all()
    low, high = case.bounds
    if case.law.cdf(low) < 0.5:
        u = np.sort((case.law.cdf(x) - case.law.cdf(low)) / (case.law.cdf(high) - case.law.cdf(low)))
    else:
        u = np.sort((case.law.sf(low) - case.law.sf(x)) / (case.law.sf(low) - case.law.sf(high)))
    ranks = np.arange(DRAWS + 1) / DRAWS
    assert max((ranks[1:] - u).max(), (u - ranks[:-1]).max()) < LIMIT
    assert np.abs(u / 0.95 - ranks[1:]).max() > LIMIT  # the same draws, with a mass wrong by 5 %


FAR = [
    ("normal", (0.0, 1.0), 100.0, None), ("normal", (0.0, 1.0), None, -100.0), ("normal", (0.0, 1.0), 60.0, 61.0),
    ("normal", (0.0, 1.0), -1e300, 1e300), ("normal", (0.0, 1.0), 0.5, 0.5 + 1e-15),
    ("lognormal", (0.0, 0.1), 1e8, None),
    ("halfnormal", (1.0,), 90.0, 91.0), ("halfnormal", (1.0,), None, 1e-200), ("gamma", (3.0, 1.0), 3000.0, None),
    ("gamma", (2e5, 1.0), None, 1e5), ("gamma", (500.0, 1.0), None, 0.1), ("beta", (900.0, 3.0), None, 1e-3),
    ("beta", (3.0, 900.0), 0.9, None), ("beta", (1e5, 1e5), 0.6, None), ("exponential", (1.0,), 1e4, 2e4),
    ("studentt", (3.0, 0.0, 1.0), 1e9, None), ("studentt", (1e9, 0.0, 1.0), 50.0, None),
    ("uniform", (0.0, 1.0), -5.0, 7.0),
    ("loguniform", (1e-9, 1e9), 1e8, None),
]  # fmt: skip


@pytest.mark.parametrize(("family", "arguments", "low", "high"), FAR)
def test_bounds_far_out_give_finite_densities_that_integrate_to_one(
    family: str, arguments: tuple[float, ...], low: float | None, high: float | None
) -> None:
    law = truncated(family, low=low is not None, high=high is not None)
    tensors = _tensors(*arguments, *(bound for bound in (low, high) if bound is not None))
    assert law.valid(tensors).item()
    w = law.sample(torch.Size([2000]), tensors, torch.Generator().manual_seed(3))
    x = law.transform(w, tensors)
    assert w.isfinite().all()
    assert law.log_density(w, tensors).isfinite().all()
    assert ((x >= (-math.inf if low is None else low)) & (x <= (math.inf if high is None else high))).all()
    s = torch.linspace(-7.3, 7.3, 40_001, dtype=torch.float64)
    density = law.log_density(torch.sinh(s), tensors).nan_to_num(nan=-math.inf).exp()
    assert torch.trapezoid(density * torch.cosh(s), s).item() == pytest.approx(1.0, abs=2e-3)


def test_the_far_normal_tail_is_nearly_exponential() -> None:
    """X − 100 given X > 100 has mean 1/100 − 2/100³ + O(1/100⁵); 50,000 draws have a standard error of 4.5e-5."""
    law, tensors = truncated("normal", low=True, high=False), _tensors(0.0, 1.0, 100.0)
    x = law.transform(law.sample(torch.Size([DRAWS]), tensors, torch.Generator().manual_seed(4)), tensors)
    assert (x - 100).mean().item() == pytest.approx(0.01 - 2e-6, abs=2.3e-4)


@pytest.mark.parametrize(
    ("arguments", "low", "high"),
    [((0.0, 1.0), 1.0, 1.0), ((0.0, 1.0), 2.0, 1.0), ((0.0, -1.0), 0.0, 1.0), ((0.0, 1.0), math.nan, 1.0),
     ((0.0, 1.0), 0.0, math.nan), ((math.nan, 1.0), 0.0, 1.0), ((0.0, 1.0), math.inf, math.inf)],
)  # fmt: skip
def test_bounds_that_make_no_sense_are_not_valid(arguments: tuple[float, ...], low: float, high: float) -> None:
    assert not truncated("normal", low=True, high=True).valid(_tensors(*arguments, low, high)).item()


def test_nothing_of_the_law_between_the_bounds_is_not_valid() -> None:
    assert not truncated("beta", low=True, high=False).valid(_tensors(2.0, 2.0, 1.0)).item()
    assert not truncated("gamma", low=False, high=True).valid(_tensors(2.0, 2.0, -1.0)).item()
    assert not truncated("uniform", low=True, high=True).valid(_tensors(0.0, 1.0, 2.0, 3.0)).item()


# ---- counts


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [(4.0, 2.0, None), (4.0, None, 3.0), (4.0, 1.5, 6.5), (1.0, 50.0, None), (1.0, 50.0, 52.0), (60.0, None, 3.0),
     (0.3, 1.0, None), (900.0, 880.0, 1000.0), (2.0, 3.0, 3.0)],
)  # fmt: skip
def test_a_truncated_count_has_the_poisson_ratios(rate: float, low: float | None, high: float | None) -> None:
    """P(k | between) against the pmf renormalised, by the width in Φ(z) of each step of the transform, to 2e-5."""
    law = truncated("poisson", low=low is not None, high=high is not None)
    tensors = _tensors(rate, *(bound for bound in (low, high) if bound is not None))
    assert law.valid(tensors).item()
    share = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    found, times = np.unique(law.transform(torch.special.ndtri(share), tensors).numpy(), return_counts=True)
    k = np.arange(math.ceil(low or 0), 1 + (math.floor(high) if high is not None else int(rate + 20 * rate**0.5 + 90)))
    weight = stats.poisson.logpmf(k, rate)
    weight = np.exp(weight - weight.max())
    wanted = dict(zip(k.tolist(), weight / weight.sum(), strict=True))
    assert set(found) <= set(wanted)
    for value, count in zip(found, times, strict=True):
        assert count / 100_000 == pytest.approx(wanted[value], abs=2e-5)


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [(4.0, 2.2, 2.8), (4.0, 3.0, 2.0), (4.0, -3.0, -1.0), (1.0, 400.0, 500.0), (-1.0, 0.0, 5.0)],
)
def test_no_count_between_the_bounds_is_not_valid(rate: float, low: float, high: float) -> None:
    assert not truncated("poisson", low=True, high=True).valid(_tensors(rate, low, high)).item()


# ---- in a document

HIERARCHICAL = """\
format: 1
name: hierarchical
title: Bounds that are parameters
designs: {x: {real: [0, 1]}}
parameters:
  mu: {prior: {normal: [1, 2]}}
  least: {prior: {exponential: [1], high: 3}}
  theta: {prior: {normal: [mu, 1], low: least, high: least + 1}}
  kind: {prior: {categorical: {7: 1, -2: theta + 0.1}}}
  count: {prior: {poisson: [exp(mu / 4)], low: 1}}
mechanisms: {only: {}}
outcomes: {back: {normal: {mean: theta * x + kind + count, sd: 1}}}
budget: 1
goal: learn
"""


def test_bounds_and_weights_are_each_particles_own() -> None:
    """Draws are within their own bounds, kinds have their own weights, and log p(z) is the sum of the conditionals."""
    mechanism = DomainModel(load_text(HIERARCHICAL)).mechanisms[0]
    z = mechanism.sample_prior((20_000,), torch.Generator().manual_seed(3))
    values = {name: value.numpy() for name, value in mechanism.parameters(z).items()}
    least, theta, mu = values["least"], values["theta"], values["mu"]
    assert ((theta > least) & (theta < least + 1) & (least < 3)).all()
    assert (values["count"] >= 1).all()
    assert set(np.unique(values["kind"])) == {-2.0, 7.0}
    residual = (values["kind"] == 7) - 1 / (theta + 1.1)  # mean 0, sd at most ½
    assert abs(residual.mean()) < 5 * 0.5 / math.sqrt(20_000)
    a, b = least - mu, least + 1 - mu
    u = (stats.norm.cdf(theta - mu) - stats.norm.cdf(a)) / (stats.norm.cdf(b) - stats.norm.cdf(a))
    assert stats.kstest(u[np.abs(a) < 5], "uniform").pvalue > 1e-6
    base = [truncated("exponential", low=False, high=True), truncated("normal", low=True, high=True)]
    columns = [mechanism.names.index(name) for name in ("mu", "least", "theta", "kind", "count")]
    normal = sum(stats.norm.logpdf(z[:, columns[i]].numpy()) for i in (0, 3, 4))
    tensors = {name: torch.tensor(value) for name, value in values.items()}
    lines = base[0].log_density(z[:, columns[1]], _tensors(1.0, 3.0)) + base[1].log_density(
        z[:, columns[2]], (tensors["mu"], *_tensors(1.0), tensors["least"], tensors["least"] + 1)
    )
    np.testing.assert_allclose(mechanism.log_prior(z), normal + lines.numpy(), rtol=1e-9)


EXCHANGEABLE = """\
format: 1
name: twins
title: Groups that may be swapped
designs: {x: {real: [0, 1]}}
parameters:
  a1: {prior: PRIOR}
  a2: {prior: PRIOR}
  b1: {prior: {normal: [a1, 1]}}
  b2: {prior: {normal: [a2, 1]}}
exchangeable: [[a1, b1], [a2, b2]]
mechanisms: {only: {}}
outcomes: {back: {normal: {mean: (a1 + b1) * x + a2 * b2, sd: 1}}}
budget: 1
goal: learn
"""


@pytest.mark.parametrize("prior", ["{normal: [0, 1], high: 0.5}", "{categorical: {3: 0.5, 1: 0.5}}", "{poisson: [1]}"])
def test_exchangeable_groups_ascend_by_value_and_their_density_integrates_to_one(prior: str) -> None:
    """Where two discrete values are equal too: of 40,000 swapped or unswapped prior draws half have a density."""
    mechanism = DomainModel(load_text(EXCHANGEABLE.replace("PRIOR", prior))).mechanisms[0]
    z = mechanism.sample_prior((20_000,), torch.Generator().manual_seed(5))
    values = mechanism.parameters(z)
    assert (values["a1"] <= values["a2"]).all()
    assert mechanism.log_prior(z).isfinite().all()
    free = DomainModel(load_text(EXCHANGEABLE.replace("PRIOR", prior).replace("exchangeable", "summary: swapped #")))
    drawn = free.mechanisms[0].sample_prior((20_000,), torch.Generator().manual_seed(6))
    ratio = (mechanism.log_prior(drawn) - free.mechanisms[0].log_prior(drawn)).exp()  # its mean is ∫ exp log_prior
    assert ratio.mean().item() == pytest.approx(1.0, abs=0.04)  # standard error 0.007
