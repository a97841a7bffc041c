"""Priors: densities, transforms and draws of every family against scipy's laws.

Draws are compared with their law by the distance sup |F_n − F| of n = 300,000 draws. By the Dvoretzky–Kiefer–Wolfowitz
inequality with Massart's constant, P(sup |F_n − F| > ε) ≤ 2 exp(−2nε²): with ε = LIMIT the false-alarm rate of each
comparison is α = 1e-6, for every law and n. The effect to detect is a scale wrong by 5 %, which moves F by at least
0.0077 in every case below; LIMIT is 0.0049 and F_n's standard deviation at most 0.0009, so the power is above 99.8 %.
``test_a_scale_wrong_by_5_percent_is_seen`` shows that power on each case.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from domains.loading import load_text
from domains.priors import FAMILIES, categorical
from domains.worlds import DomainModel

DRAWS = 300_000
LIMIT = math.sqrt(math.log(2 / 1e-6) / (2 * DRAWS))


@dataclass(frozen=True)
class Case:
    """A family with arguments, scipy's law, and the arguments of a law whose scale is 5 % larger."""

    family: str
    arguments: tuple[float, ...]
    law: stats.rv_continuous
    wrong: tuple[float, ...]

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return _tensors(self.arguments)


def _tensors(arguments: tuple[float, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(argument, dtype=torch.float64) for argument in arguments)


CASES = [
    Case("normal", (1.5, 0.3), stats.norm(1.5, 0.3), (1.5, 0.315)),
    Case("normal", (-40.0, 7.0), stats.norm(-40, 7), (-40, 7.35)),
    Case("lognormal", (0.7, 0.5), stats.lognorm(0.5, scale=math.exp(0.7)), (0.7, 0.525)),
    Case("lognormal", (-3.0, 2.0), stats.lognorm(2, scale=math.exp(-3)), (-3, 2.1)),
    Case("halfnormal", (2.0,), stats.halfnorm(scale=2), (2.1,)),
    Case("uniform", (-1.0, 3.0), stats.uniform(-1, 4), (-1.1, 3.1)),
    Case("loguniform", (0.01, 30.0), stats.loguniform(0.01, 30), (0.01 * 3000**-0.025, 30 * 3000**0.025)),
    Case("beta", (2.0, 5.0), stats.beta(2, 5), (1.78, 4.45)),  # sd 0.1597 → 0.1681
    Case("beta", (0.5, 0.5), stats.beta(0.5, 0.5), (0.407, 0.407)),  # sd 0.3536 → 0.3712
    Case("gamma", (3.0, 0.5), stats.gamma(3, scale=2), (3.0, 0.5 / 1.05)),
    Case("gamma", (0.4, 4.0), stats.gamma(0.4, scale=0.25), (0.4, 4 / 1.05)),
    Case("exponential", (0.2,), stats.expon(scale=5), (0.2 / 1.05,)),
    Case("studentt", (4.0, 1.0, 0.5), stats.t(4, 1, 0.5), (4.0, 1.0, 0.525)),
    Case("studentt", (1.0, 0.0, 3.0), stats.t(1, 0, 3), (1.0, 0.0, 3.15)),
]
COUNTS = [  # of these the mean is 5 % off
    Case("poisson", (0.7,), stats.poisson(0.7), (0.735,)),
    Case("poisson", (30.0,), stats.poisson(30), (31.5,)),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}{case.arguments}")
each_count = pytest.mark.parametrize("case", COUNTS, ids=lambda case: f"{case.family}{case.arguments}")


def _draw(family: str, arguments: tuple[float, ...], seed: int) -> NDArray[np.float64]:
    tensors = _tensors(arguments)
    z = FAMILIES[family].sample(torch.Size([DRAWS]), tensors, torch.Generator().manual_seed(seed))
    assert z.dtype == torch.float64
    return FAMILIES[family].transform(z, tensors).numpy()


def _distance(probabilities: NDArray[np.float64]) -> float:
    """sup |F_n − F| of draws given as F(draw)."""
    u = np.sort(probabilities)
    n = len(u)
    return float(max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max()))


def test_every_family_has_a_case() -> None:
    assert {case.family for case in (*CASES, *COUNTS)} == FAMILIES.keys()


@each_case
def test_the_density_of_z_integrates_to_one(case: Case) -> None:
    """∫ p(z) dz by the trapezoidal rule in s, z = sinh s: heavy tails and all."""
    s = torch.linspace(-22, 22, 40_001, dtype=torch.float64)
    density = FAMILIES[case.family].log_density(torch.sinh(s), case.tensors).exp()
    assert torch.trapezoid(density * torch.cosh(s), s).item() == pytest.approx(1.0, abs=1e-8)


@each_case
def test_the_transform_rises(case: Case) -> None:
    x = FAMILIES[case.family].transform(torch.linspace(-12, 12, 4001, dtype=torch.float64), case.tensors)
    assert (x.diff() > 0).all()


@each_case
def test_x_has_the_textbook_density(case: Case) -> None:
    """log p(z) − log |dx/dz| is scipy's log density at x = transform(z)."""
    z = torch.linspace(-6, 4, 501, dtype=torch.float64, requires_grad=True)
    x = FAMILIES[case.family].transform(z, case.tensors)
    (slope,) = torch.autograd.grad(x.sum(), z)
    with torch.no_grad():
        found = FAMILIES[case.family].log_density(z, case.tensors) - slope.log()
    np.testing.assert_allclose(found, case.law.logpdf(x.detach().numpy()), rtol=1e-9, atol=1e-9)


@pytest.mark.statistical
@each_case
def test_draws_follow_the_law(case: Case) -> None:
    """False alarms: α = 1e-6 a case. Effect: a scale wrong by 5 %, power > 99.8 % (see the module)."""
    x = _draw(case.family, case.arguments, seed=20_261_101)
    assert _distance(case.law.cdf(x)) < LIMIT


@pytest.mark.statistical
@each_case
def test_a_scale_wrong_by_5_percent_is_seen(case: Case) -> None:
    """The same comparison refuses draws whose scale is wrong by 5 %; it misses less than 0.2 % of them."""
    x = _draw(case.family, case.wrong, seed=20_261_102)
    assert _distance(case.law.cdf(x)) > LIMIT


@each_case
def test_the_inverse_and_the_tails_belong_to_the_transform(case: Case) -> None:
    """inverse(transform(z)) = z, ±∞ outside the support, and the tails of z are scipy's of x."""
    line = FAMILIES[case.family].line
    assert line is not None
    z = torch.linspace(-6, 3, 91, dtype=torch.float64)
    x = FAMILIES[case.family].transform(z, case.tensors)
    torch.testing.assert_close(line.inverse(x, case.tensors), z, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(line.tails.below(z, case.tensors), case.law.logcdf(x.numpy()), rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(line.tails.above(z, case.tensors), case.law.logsf(x.numpy()), rtol=1e-8, atol=1e-13)
    low, high = case.law.support()
    ends = line.inverse(torch.tensor([low - 1, low, high, high + 1], dtype=torch.float64), case.tensors)
    assert ends.tolist() == [-math.inf, -math.inf, math.inf, math.inf]


def _distance_of_counts(values: NDArray[np.float64], law: stats.rv_discrete) -> float:
    seen, times = np.unique(values, return_counts=True)
    return float(np.abs(times.cumsum() / len(values) - law.cdf(seen)).max())


@pytest.mark.statistical
@each_count
def test_counts_follow_the_law_and_a_mean_wrong_by_5_percent_is_seen(case: Case) -> None:
    """α = 1e-6 a case; a mean wrong by 5 % moves F by at least 0.015 where it jumps, power > 99.9 %."""
    assert _distance_of_counts(_draw(case.family, case.arguments, seed=20_261_105), case.law) < LIMIT
    assert _distance_of_counts(_draw(case.family, case.wrong, seed=20_261_106), case.law) > LIMIT


@pytest.mark.parametrize("rate", [1e-8, 0.3, 4.0, 5.5, 80.0, 1e4, 1e5])
def test_a_count_is_the_poisson_quantile_at_the_normal_probability_of_z(rate: float) -> None:
    """The smallest k with P(K ≤ k) ≥ Φ(z): P(K ≤ k) ≥ Φ(z) > P(K < k), judged in the nearer tail, to 1e-6 of it."""
    z = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    k = FAMILIES["poisson"].transform(z, _tensors((rate,))).numpy()
    law, latent = stats.poisson(rate), z.numpy()
    assert (np.diff(k) >= 0).all()
    left = latent < 0
    slack = 1 + 1e-6
    assert (law.cdf(k[left]) * slack >= stats.norm.cdf(latent[left])).all()
    assert (law.cdf(k[left] - 1) < stats.norm.cdf(latent[left]) * slack).all()
    assert (law.sf(k[~left]) <= stats.norm.sf(latent[~left]) * slack).all()
    assert (law.sf(k[~left] - 1) * slack > stats.norm.sf(latent[~left])).all()
    density = FAMILIES["poisson"].log_density(z, _tensors((rate,)))
    np.testing.assert_allclose(density, stats.norm.logpdf(latent))


@pytest.mark.statistical
def test_categorical_draws_have_their_weights() -> None:
    """α = 1e-6; weights are per particle, and one wrong by 5 % moves F by 0.01, power > 99.9 %."""
    family = categorical((-2.0, 0.5, 7.0))
    first = torch.tensor([[1.0], [1.05]], dtype=torch.float64)
    weights = (first, torch.tensor(2.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
    z = family.sample(torch.Size([2, DRAWS]), weights, torch.Generator().manual_seed(20_261_107))
    x = family.transform(z, weights)
    assert set(x.unique().tolist()) == {-2.0, 0.5, 7.0}
    shares = [(x <= edge).double().mean(-1) for edge in (-2.0, 0.5)]
    distance = torch.stack([(share - wanted).abs() for share, wanted in zip(shares, (0.25, 0.75), strict=True)])
    assert distance[:, 0].max() < LIMIT < distance[:, 1].max()
    np.testing.assert_allclose(family.log_density(z, weights), stats.norm.logpdf(z.numpy()))


def test_a_categorical_parameter_steps_through_its_values_in_order() -> None:
    family = categorical((1.0, 2.0, 3.0))
    weights = _tensors((2.0, 1.0, 1.0))
    edges = torch.tensor([0.0, 0.6744897501960817], dtype=torch.float64)
    z = torch.cat([edges - 1e-9, edges + 1e-9, torch.tensor([-1e9, 1e9], dtype=torch.float64)])
    assert family.transform(z, weights).tolist() == [1.0, 2.0, 2.0, 3.0, 1.0, 3.0]
    assert family.valid(weights).item()
    for wrong in (-1.0, 0.0, math.nan, math.inf):
        assert not family.valid(_tensors((1.0, wrong, 1.0))).item()


@pytest.mark.parametrize(
    ("family", "arguments"),
    [("gamma", (0.01, 1.0)), ("gamma", (0.01, 1e-6)), ("gamma", (1e6, 1.0)), ("beta", (0.05, 0.05)),
     ("beta", (0.05, 500.0)), ("beta", (1e5, 1e5)), ("studentt", (0.1, 0.0, 1.0)), ("studentt", (1e8, 0.0, 1.0)),
     ("halfnormal", (1e-12,)), ("exponential", (1e12,)), ("loguniform", (1e-200, 1e200)), ("lognormal", (0.0, 9.0))],
)  # fmt: skip
def test_extreme_arguments_give_finite_draws_and_densities(family: str, arguments: tuple[float, ...]) -> None:
    tensors = _tensors(arguments)
    z = FAMILIES[family].sample(torch.Size([50_000]), tensors, torch.Generator().manual_seed(5))
    assert z.isfinite().all()
    assert FAMILIES[family].log_density(z, tensors).isfinite().all()
    assert FAMILIES[family].transform(z, tensors).isfinite().all()


@pytest.mark.statistical
@pytest.mark.parametrize(("shape", "wrong"), [(0.01, 0.0105), (0.1, 0.105)])
def test_tiny_gamma_shapes_are_drawn_by_their_law_in_z(shape: float, wrong: float) -> None:
    """Where x underflows, z = log x still follows its law; α = 1e-6. A shape wrong by 5 % moves F by 0.018."""

    def distance(drawn: float) -> float:
        generator = torch.Generator().manual_seed(6)
        z = FAMILIES["gamma"].sample(torch.Size([DRAWS]), _tensors((drawn, 1.0)), generator).numpy()
        small = z < -30  # there F(x) = x^a / Γ(a + 1), to 1e-13
        series = np.exp(shape * np.minimum(z, -30) - math.lgamma(shape + 1))
        return _distance(np.where(small, series, stats.gamma(shape).cdf(np.exp(np.maximum(z, -30)))))

    assert distance(shape) < LIMIT < distance(wrong)


INVALID = [
    ("normal", (0.0, -1.0)), ("normal", (0.0, 0.0)), ("normal", (math.inf, 1.0)), ("normal", (0.0, math.inf)),
    ("lognormal", (0.0, -1.0)), ("lognormal", (math.nan, 1.0)), ("halfnormal", (0.0,)), ("halfnormal", (-1.0,)),
    ("uniform", (1.0, 1.0)), ("uniform", (2.0, 1.0)), ("uniform", (-math.inf, 1.0)), ("uniform", (0.0, math.inf)),
    ("loguniform", (0.0, 1.0)), ("loguniform", (-1.0, 1.0)), ("loguniform", (2.0, 1.0)), ("loguniform", (1, math.inf)),
    ("beta", (0.0, 1.0)), ("beta", (1.0, -1.0)), ("beta", (math.inf, 1.0)), ("gamma", (0.0, 1.0)),
    ("gamma", (1.0, 0.0)), ("gamma", (1.0, math.inf)), ("exponential", (0.0,)), ("exponential", (math.inf,)),
    ("studentt", (0.0, 0.0, 1.0)), ("studentt", (3.0, 0.0, 0.0)), ("studentt", (3.0, math.inf, 1.0)),
    ("studentt", (math.inf, 0.0, 1.0)), ("poisson", (0.0,)), ("poisson", (-1.0,)), ("poisson", (math.inf,)),
    ("poisson", (math.nan,)),
    *((case.family, (*case.arguments[:i], math.nan, *case.arguments[i + 1 :]))
      for case in CASES for i in range(len(case.arguments))),
]  # fmt: skip


@pytest.mark.parametrize(("family", "arguments"), INVALID)
def test_arguments_that_make_no_sense_are_not_valid(family: str, arguments: tuple[float, ...]) -> None:
    assert not FAMILIES[family].valid(_tensors(arguments)).item()


@each_case
def test_the_cases_arguments_are_valid(case: Case) -> None:
    assert FAMILIES[case.family].valid(case.tensors).item()


def test_arguments_broadcast_against_z() -> None:
    """Arguments [runs, 1] with z [runs, particles]: each run has its own prior, and its own draws."""
    arguments = (torch.tensor([[0.5], [40.0]], dtype=torch.float64), torch.tensor([[1.0], [2.0]], dtype=torch.float64))
    for name in ("normal", "gamma", "beta"):
        family = FAMILIES[name]
        z = family.sample(torch.Size([2, 7]), arguments, torch.Generator().manual_seed(0))
        row = [family.log_density(z[run], tuple(a[run] for a in arguments)) for run in range(2)]
        assert z.shape == family.transform(z, arguments).shape == (2, 7)
        torch.testing.assert_close(family.log_density(z, arguments), torch.stack(row))


HIERARCHICAL = """\
format: 1
name: hierarchical
title: Priors whose arguments are parameters
designs: {x: {real: [0, 1]}}
parameters:
  mu: {prior: {normal: [1, 2]}}
  tau: {prior: {halfnormal: [0.5]}}
  theta: {prior: {normal: [mu, tau + floor_sd]}}
  floor_sd: 0.1
  rate: {prior: {gamma: [tau + 0.5, exp(mu)]}}
  low: {prior: {uniform: [theta, theta + rate]}}
mechanisms: {only: {}}
outcomes: {back: {normal: {mean: theta * x, sd: 1}}}
budget: 1
goal: learn
"""


def _conditional(values: dict[str, NDArray[np.float64]]) -> dict[str, stats.rv_continuous]:
    """scipy's law of each parameter given those before it."""
    mu, tau, theta, rate = (values[name] for name in ("mu", "tau", "theta", "rate"))
    return {
        "mu": stats.norm(1, 2),
        "tau": stats.halfnorm(scale=0.5),
        "theta": stats.norm(mu, tau + 0.1),
        "rate": stats.gamma(tau + 0.5, scale=np.exp(-mu)),
        "low": stats.uniform(theta, rate),
    }


def test_a_hierarchical_prior_multiplies_conditional_densities() -> None:
    """log p(z) = Σ log p(x_i | x before) + log |dx_i/dz_i|: the Jacobian is triangular."""
    mechanism = DomainModel(load_text(HIERARCHICAL)).mechanisms[0]
    z = mechanism.sample_prior((300,), torch.Generator().manual_seed(3)).requires_grad_()
    values = mechanism.parameters(z)
    slopes = [
        torch.autograd.grad(values[n].sum(), z, retain_graph=True)[0][:, i] for i, n in enumerate(mechanism.names)
    ]
    log_slope = torch.stack(slopes).log().sum(0).numpy()
    numbers = {name: value.detach().numpy() for name, value in values.items()}
    wanted = sum(law.logpdf(numbers[name]) for name, law in _conditional(numbers).items()) + log_slope
    np.testing.assert_allclose(mechanism.log_prior(z.detach()), wanted, rtol=1e-9, atol=1e-7)


@pytest.mark.statistical
def test_hierarchical_draws_follow_each_conditional_law() -> None:
    """F(x_i | x before) is uniform: α = 1e-6 each of five; an sd, scale or width wrong by 5 % moves F by 0.01."""
    mechanism = DomainModel(load_text(HIERARCHICAL)).mechanisms[0]
    z = mechanism.sample_prior((DRAWS,), torch.Generator().manual_seed(4))
    values = {name: value.numpy() for name, value in mechanism.parameters(z).items()}
    distances = {name: _distance(law.cdf(values[name])) for name, law in _conditional(values).items()}
    assert max(distances.values()) < LIMIT, distances


def test_an_invalid_hierarchical_argument_has_no_density() -> None:
    """uniform: [theta, 1] where theta ≥ 1 is no law: log density −∞, and only there."""
    text = HIERARCHICAL.replace("uniform: [theta, theta + rate]", "uniform: [theta, 1]")
    mechanism = DomainModel(load_text(text)).mechanisms[0]
    z = mechanism.sample_prior((2000,), torch.Generator().manual_seed(5))
    impossible = mechanism.parameters(z)["theta"] >= 1
    assert impossible.any()
    assert not impossible.all()
    assert torch.equal(mechanism.log_prior(z) == -torch.inf, impossible)
