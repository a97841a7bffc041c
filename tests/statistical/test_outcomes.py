"""Outcomes: densities, means and draws of every family against scipy's laws.

Draws are compared with their law by sup |F_n − F| over n = 300,000 draws. By the Dvoretzky–Kiefer–Wolfowitz inequality
with Massart's constant, which holds for discrete laws too, P(sup |F_n − F| > ε) ≤ 2 exp(−2nε²): with ε = LIMIT the
false-alarm rate of each comparison is α = 1e-6. The effect to detect is a scale (of a count or a probability: a mean)
wrong by 5 %, which moves F by at least 0.0077 in every case; LIMIT is 0.0049 and F_n's standard deviation at most
0.0009, so the power is above 99.8 %. ``test_a_scale_wrong_by_5_percent_is_seen`` shows it on each case.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special, stats

from domains.outcomes import FAMILIES

DRAWS = 300_000
LIMIT = math.sqrt(math.log(2 / 1e-6) / (2 * DRAWS))
LOWEST, HIGHEST = 2.0**-54, 1.0 - 2.0**-53  # the ends of the uniform draws that simulations pass
CONTINUOUS = ("normal", "lognormal", "studentt", "beta", "gamma", "exponential", "logitnormal")


@dataclass(frozen=True)
class Case:
    """A family with arguments, scipy's law, and arguments 5 % off in the scale."""

    family: str
    arguments: tuple[float, ...]
    law: Any
    wrong: tuple[float, ...]

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return _tensors(self.arguments)


def _tensors(arguments: tuple[float, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(argument, dtype=torch.float64) for argument in arguments)


class LogitNormal:
    """The law of sigmoid(N(mean, sd²)), in scipy's words."""

    def __init__(self, mean: float, sd: float) -> None:
        self._normal = stats.norm(mean, sd)

    def cdf(self, y: Any) -> Any:
        return self._normal.cdf(special.logit(np.clip(y, 0, 1)))

    def sf(self, y: Any) -> Any:
        return self._normal.sf(special.logit(np.clip(y, 0, 1)))

    def ppf(self, u: Any) -> Any:
        return special.expit(self._normal.ppf(u))

    def logpdf(self, y: Any) -> Any:
        inner = np.where((y > 0) & (y < 1), y, 0.5)
        density = self._normal.logpdf(special.logit(inner)) - np.log(inner) - np.log1p(-inner)
        return np.where((y > 0) & (y < 1), density, -np.inf)

    def mean(self) -> float:
        return float(self._normal.expect(special.expit, epsabs=1e-14, epsrel=1e-13))


CASES = [
    Case("normal", (1.5, 0.3), stats.norm(1.5, 0.3), (1.5, 0.315)),
    Case("normal", (-400.0, 1e-3), stats.norm(-400, 1e-3), (-400.0, 1.05e-3)),
    Case("lognormal", (0.7, 0.5), stats.lognorm(0.5, scale=math.exp(0.7)), (0.7, 0.525)),
    Case("lognormal", (-2.0, 1.5), stats.lognorm(1.5, scale=math.exp(-2)), (-2.0, 1.575)),
    Case("studentt", (4.0, 1.0, 0.5), stats.t(4, 1, 0.5), (4.0, 1.0, 0.525)),
    Case("studentt", (1.0, 0.0, 3.0), stats.t(1, 0, 3), (1.0, 0.0, 3.15)),
    Case("studentt", (1e24, 0.0, 2.0), stats.norm(0, 2), (1e24, 0.0, 2.1)),
    Case("studentt", (2000.0, 0.0, 2.0), stats.t(2000, 0, 2), (2000.0, 0.0, 2.1)),
    Case("bernoulli", (0.3,), stats.bernoulli(0.3), (0.315,)),
    Case("bernoulli", (0.8,), stats.bernoulli(0.8), (0.84,)),
    Case("binomial", (10.0, 0.3), stats.binom(10, 0.3), (10.0, 0.315)),
    Case("binomial", (1.0, 0.5), stats.binom(1, 0.5), (1.0, 0.525)),
    Case("binomial", (25.0, 0.9), stats.binom(25, 0.9), (25.0, 0.945)),
    Case("poisson", (0.4,), stats.poisson(0.4), (0.42,)),
    Case("poisson", (7.0,), stats.poisson(7), (7.35,)),
    Case("poisson", (1e4,), stats.poisson(1e4), (1.05e4,)),
    Case("negative_binomial", (7.0, 2.5), stats.nbinom(2.5, 2.5 / 9.5), (7.35, 2.5)),
    Case("negative_binomial", (3.0, 0.5), stats.nbinom(0.5, 0.5 / 3.5), (3.15, 0.5)),
    Case("negative_binomial", (400.0, 90.0), stats.nbinom(90, 90 / 490), (420.0, 90.0)),
    Case("categorical", (0.2, 0.5, 0.3), stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])), (0.21, 0.49, 0.3)),
    Case("beta", (0.3, 8.0), stats.beta(2.4, 5.6), (0.3, 9 / 1.1025 - 1)),
    Case("beta", (0.7, 1.5), stats.beta(1.05, 0.45), (0.7, 2.5 / 1.1025 - 1)),
    Case("gamma", (4.0, 3.0), stats.gamma(3, scale=4 / 3), (4.2, 3.0)),
    Case("gamma", (2.0, 0.3), stats.gamma(0.3, scale=2 / 0.3), (2.1, 0.3)),
    Case("gamma", (1e-3, 150.0), stats.gamma(150, scale=1e-3 / 150), (1e-3, 150 / 1.1025)),
    Case("exponential", (0.5,), stats.expon(scale=2), (0.5 / 1.05,)),
    Case("logitnormal", (0.5, 1.2), LogitNormal(0.5, 1.2), (0.5, 1.26)),
    Case("logitnormal", (-1.0, 4.0), LogitNormal(-1.0, 4.0), (-1.0, 4.2)),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}{case.arguments}")


def _draw(family: str, arguments: tuple[float, ...], seed: int) -> torch.Tensor:
    uniforms = torch.rand((DRAWS, 2), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    spread = tuple(argument.expand(DRAWS) for argument in _tensors(arguments))
    return FAMILIES[family].sample(spread, uniforms.clamp(LOWEST, HIGHEST))


def _distance(case: Case, draws: torch.Tensor) -> float:
    """sup |F_n − F|; of a discrete law, over its support."""
    if case.family in CONTINUOUS:
        u = np.sort(case.law.cdf(draws.numpy()))
        return float(max((np.arange(1, DRAWS + 1) / DRAWS - u).max(), (u - np.arange(DRAWS) / DRAWS).max()))
    values, counts = np.unique(draws.numpy(), return_counts=True)
    support = np.arange(values.min() - 1, values.max() + 1)
    empirical = np.concatenate([[0], counts.cumsum()])[np.searchsorted(values, support, side="right")] / DRAWS
    return float(np.abs(empirical - case.law.cdf(support)).max())


def test_every_family_has_a_case() -> None:
    assert {case.family for case in CASES} == FAMILIES.keys()


# ---- densities and means


def _grid(case: Case) -> NDArray[np.float64]:
    q = np.array([1e-9, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.8, 0.99, 1 - 1e-6])
    typical = np.asarray(case.law.ppf(q), dtype=np.float64)
    return np.concatenate([typical, typical + 0.5, [-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 7.0, 1e4, 1e6]])


@each_case
def test_log_density_is_the_textbooks(case: Case) -> None:
    """Also at impossible values, where it is −∞: negative or broken counts, more than n, negative log-normals."""
    y = _grid(case)
    found = FAMILIES[case.family].log_density(torch.tensor(y), case.tensors)
    if case.family in CONTINUOUS:
        wanted = case.law.logpdf(y)
        wanted[np.isposinf(wanted)] = -np.inf  # scipy's at the end of a support, which is outside ours
    else:  # scipy rounds the argument of cdf and takes −inf for a broken count
        wanted = np.where(y == np.floor(y), case.law.logpmf(np.floor(y)), -np.inf)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(
    ("family", "arguments", "impossible"),
    [("lognormal", (0.0, 1.0), [0.0, -1.0, -1e300]), ("bernoulli", (0.5,), [-1.0, 0.5, 2.0, 1e-9]),
     ("bernoulli", (0.0,), [1.0]), ("bernoulli", (1.0,), [0.0]), ("binomial", (3.0, 0.5), [-1.0, 4.0, 1.5, 1e9]),
     ("binomial", (3.0, 0.0), [1.0, 3.0]), ("binomial", (3.0, 1.0), [0.0, 2.0]), ("binomial", (0.0, 0.5), [1.0, -1.0]),
     ("poisson", (2.0,), [-1.0, 0.5, -1e9]), ("poisson", (0.0,), [1.0, 5.0]),
     ("negative_binomial", (2.0, 3.0), [-1.0, 0.5]), ("negative_binomial", (0.0, 3.0), [1.0]),
     ("categorical", (0.5, 0.0, 0.5), [-1.0, 0.5, 1.0, 3.0]), ("beta", (0.5, 3.0), [-1.0, 0.0, 1.0, 2.0]),
     ("gamma", (2.0, 3.0), [-1.0, 0.0]), ("exponential", (2.0,), [-1e-9]), ("logitnormal", (0.0, 1.0), [0.0, 1.0])],
)  # fmt: skip
def test_impossible_values(family: str, arguments: tuple[float, ...], impossible: list[float]) -> None:
    found = FAMILIES[family].log_density(torch.tensor(impossible, dtype=torch.float64), _tensors(arguments))
    assert found.tolist() == [-math.inf] * len(impossible)


@pytest.mark.parametrize(
    ("family", "arguments", "certain"),
    [("bernoulli", (0.0,), 0.0), ("bernoulli", (1.0,), 1.0), ("binomial", (0.0, 0.3), 0.0),
     ("binomial", (0.0, 0.0), 0.0), ("binomial", (0.0, 1.0), 0.0), ("binomial", (6.0, 0.0), 0.0),
     ("binomial", (6.0, 1.0), 6.0), ("poisson", (0.0,), 0.0),
     ("bernoulli", (1 + 1e-7,), 1.0), ("bernoulli", (-1e-7,), 0.0),
     ("binomial", (6.0, 1 + 1e-7), 6.0), ("binomial", (6.0, -1e-7), 0.0), ("negative_binomial", (0.0, 3.0), 0.0),
     ("categorical", (0.0, 1.0, 0.0), 1.0), ("categorical", (-4e-7, 0.0, 1 + 5e-7), 2.0)],
)  # fmt: skip
def test_certain_outcomes(family: str, arguments: tuple[float, ...], certain: float) -> None:
    """A degenerate law gives its one value with density 1, whatever the draw; p beyond [0, 1] by 1e-7 is clipped."""
    law, tensors = FAMILIES[family], _tensors(arguments)
    assert law.valid(tensors).item()
    assert law.log_density(torch.tensor(certain, dtype=torch.float64), tensors).item() == 0.0
    assert law.mean(tensors).item() == certain
    uniforms = torch.tensor([[LOWEST, LOWEST], [0.5, 0.5], [HIGHEST, HIGHEST]], dtype=torch.float64)
    assert law.sample(tuple(a.expand(3) for a in tensors), uniforms).tolist() == [certain] * 3


@each_case
def test_mean(case: Case) -> None:
    wanted = math.nan if case.family == "studentt" and case.arguments[0] <= 1 else case.law.mean()
    np.testing.assert_allclose(FAMILIES[case.family].mean(case.tensors), wanted, rtol=1e-12)


# ---- draws


@pytest.mark.statistical
@each_case
def test_draws_follow_the_law(case: Case) -> None:
    """False alarms: α = 1e-6 a case. Effect: a scale or mean wrong by 5 %, power > 99.8 % (see the module)."""
    assert _distance(case, _draw(case.family, case.arguments, seed=20_261_103)) < LIMIT


@pytest.mark.statistical
@each_case
def test_a_scale_wrong_by_5_percent_is_seen(case: Case) -> None:
    """The same comparison refuses draws whose scale or mean is wrong by 5 %; it misses less than 0.2 % of them."""
    assert _distance(case, _draw(case.family, case.wrong, seed=20_261_104)) > LIMIT


QUANTILES: dict[str, Callable[..., Any]] = {
    "normal": stats.norm.ppf,
    "lognormal": lambda u, mu, sigma: stats.lognorm.ppf(u, sigma, scale=np.exp(mu)),
    "binomial": stats.binom.ppf,
    "poisson": stats.poisson.ppf,
    "negative_binomial": lambda u, m, r: stats.nbinom.ppf(u, r, r / (r + m)),
    "beta": lambda u, m, c: stats.beta.ppf(u, m * c, (1 - m) * c),
    "gamma": lambda u, m, k: stats.gamma.ppf(u, k, scale=m / k),
    "exponential": lambda u, rate: stats.expon.ppf(u, scale=1 / rate),
    "logitnormal": lambda u, m, s: special.expit(stats.norm.ppf(u, m, s)),
}


@pytest.mark.parametrize(
    ("family", "arguments"),
    [("normal", ([-3.0, 0.0, 5.0], [0.1, 1.0, 30.0])), ("lognormal", ([-3.0, 0.0, 5.0], [0.1, 1.0, 2.0])),
     ("binomial", ([0.0, 4.0, 5000.0, 20_000.0], [0.5, 0.2, 0.99, 1e-4])), ("poisson", ([0.0, 1e-3, 2.5, 1e4],)),
     ("negative_binomial", ([0.0, 1e-3, 2.5, 30.0, 1e4], [1.0, 0.1, 8.0, 0.3, 20.0])), ("exponential", ([0.1, 50.0],)),
     ("beta", ([0.1, 0.5, 0.99], [0.5, 30.0, 400.0])), ("gamma", ([0.1, 5.0, 900.0], [0.5, 1.0, 2000.0])),
     ("logitnormal", ([-3.0, 0.0, 1.0], [0.1, 1.0, 5.0]))],
)  # fmt: skip
def test_draws_are_quantiles_of_the_first_uniform(family: str, arguments: tuple[list[float], ...]) -> None:
    """y = F⁻¹(u): a larger u never gives a smaller outcome, so one stream of uniforms serves every design alike."""
    u = torch.rand((2000, 1, 2), generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    columns = tuple(torch.tensor(a, dtype=torch.float64).expand(2000, -1) for a in arguments)
    found = FAMILIES[family].sample(columns, u.expand(-1, len(arguments[0]), -1))
    wanted = QUANTILES[family](u[..., 0].numpy(), *(column.numpy() for column in columns))
    np.testing.assert_allclose(found, wanted, rtol=1e-11)


@pytest.mark.parametrize(
    ("family", "arguments"),
    [*((case.family, case.arguments) for case in CASES), ("poisson", (0.0,)), ("poisson", (1e9,)),
     ("binomial", (5000.0, 0.9)), ("binomial", (1e7, 0.5)), ("binomial", (1e9, 1e-8)), ("studentt", (0.2, 0.0, 1.0)),
     ("studentt", (1e300, 0.0, 1.0)), ("negative_binomial", (0.0, 1.0)), ("negative_binomial", (5.0, 1e24)),
     ("negative_binomial", (1e6, 0.05)), ("negative_binomial", (1e-9, 1e-3)), ("categorical", (0.0, 1.0, 0.0, 0.0)),
     ("beta", (0.9, 0.5)), ("beta", (1e-6, 1e-3)), ("beta", (0.3, 1e9)), ("gamma", (1.0, 1e-3)), ("gamma", (1.0, 1e9)),
     ("logitnormal", (50.0, 10.0)), ("logitnormal", (0.0, 1e3))],
)  # fmt: skip
def test_uniforms_at_both_ends_give_finite_plausible_outcomes(family: str, arguments: tuple[float, ...]) -> None:
    ends = torch.tensor([[u, v] for u in (LOWEST, HIGHEST) for v in (LOWEST, HIGHEST)], dtype=torch.float64)
    drawn = FAMILIES[family].sample(tuple(argument.expand(4) for argument in _tensors(arguments)), ends)
    assert drawn.isfinite().all()
    density = FAMILIES[family].log_density(drawn, _tensors(arguments))
    assert (density > -300).all(), "a value this rare does not come from one draw"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_an_outcome_does_not_depend_on_the_rest_of_the_batch(family: str) -> None:
    """The same uniforms and arguments give the same outcome alone, among others, and beside wild or invalid ones."""
    generator = torch.Generator().manual_seed(9)
    uniforms = torch.rand((200, 2), generator=generator, dtype=torch.float64)
    p = torch.rand(200, generator=generator, dtype=torch.float64)
    count = (p * 50).floor()
    ours = {
        "normal": (p, p + 0.1), "lognormal": (p, p + 0.1), "studentt": (p * 9 + 1, p, p + 0.1),
        "bernoulli": (p,), "binomial": (count, 1 - p), "poisson": (count * p,),
        "negative_binomial": (count * p, p + 0.1), "categorical": (p / 2, p / 2, 1 - p), "beta": (p, count + 1),
        "gamma": (p, count + 1), "exponential": (p,), "logitnormal": (p, p + 0.1),
    }[family]  # fmt: skip
    wild = {
        "binomial": ([1e6, math.nan, -3.0, math.inf, 5.0], [0.5, 0.5, 0.5, 0.5, math.nan]),
        "poisson": ([1e12, math.nan, -3.0, math.inf, 0.0],),
        "negative_binomial": ([1e12, math.nan, -3.0, 7.0, math.inf], [1e-9, 1.0, -1.0, -2.0, math.inf]),
    }.get(family, ([1e12, math.nan, -3.0, math.inf, 0.0],) * len(ours))
    law = FAMILIES[family]
    batch = law.sample(ours, uniforms)
    alone = torch.cat([law.sample(tuple(a[i : i + 1] for a in ours), uniforms[i : i + 1]) for i in range(200)])
    beside = tuple(torch.cat([torch.tensor(w, dtype=torch.float64), a]) for w, a in zip(wild, ours, strict=True))
    assert torch.equal(batch, alone)
    assert torch.equal(batch, law.sample(beside, torch.cat([uniforms[:5], uniforms]))[5:])


# ---- validity

INVALID = [
    ("normal", (0.0, 0.0)), ("normal", (0.0, -1.0)), ("normal", (math.inf, 1.0)), ("normal", (0.0, math.inf)),
    ("lognormal", (0.0, -1.0)), ("lognormal", (-math.inf, 1.0)), ("studentt", (0.0, 0.0, 1.0)),
    ("studentt", (math.inf, 0.0, 1.0)), ("studentt", (3.0, math.inf, 1.0)), ("studentt", (3.0, 0.0, -1.0)),
    ("bernoulli", (1 + 1e-5,)), ("bernoulli", (-1e-5,)), ("bernoulli", (math.inf,)), ("binomial", (-1.0, 0.5)),
    ("binomial", (2.5, 0.5)), ("binomial", (math.inf, 0.5)), ("binomial", (3.0, 1.1)), ("binomial", (3.0, -0.1)),
    ("poisson", (-1.0,)), ("poisson", (math.inf,)), ("negative_binomial", (-1.0, 1.0)),
    ("negative_binomial", (1.0, 0.0)), ("negative_binomial", (math.inf, 1.0)), ("negative_binomial", (1.0, math.inf)),
    ("categorical", (0.5, 0.5 - 1e-5)), ("categorical", (0.5, 0.5 + 1e-5)), ("categorical", (1.1, -0.1)),
    ("categorical", (math.inf, 0.5)), ("beta", (0.0, 1.0)), ("beta", (1.0, 1.0)), ("beta", (0.5, 0.0)),
    ("beta", (0.5, math.inf)), ("gamma", (0.0, 1.0)), ("gamma", (1.0, 0.0)), ("gamma", (math.inf, 1.0)),
    ("gamma", (1.0, math.inf)), ("exponential", (0.0,)), ("exponential", (math.inf,)),
    ("logitnormal", (math.inf, 1.0)), ("logitnormal", (0.0, 0.0)), ("logitnormal", (0.0, math.inf)),
    *((case.family, (*case.arguments[:i], math.nan, *case.arguments[i + 1 :]))
      for case in CASES for i in range(len(case.arguments))),
]  # fmt: skip


@pytest.mark.parametrize(("family", "arguments"), INVALID)
def test_arguments_that_make_no_sense_are_not_valid(family: str, arguments: tuple[float, ...]) -> None:
    assert not FAMILIES[family].valid(_tensors(arguments)).item()


@each_case
def test_the_cases_arguments_are_valid_and_named(case: Case) -> None:
    assert FAMILIES[case.family].valid(case.tensors).item()
    assert case.family == "categorical" or len(FAMILIES[case.family].arguments) == len(case.arguments)


# ---- gradients


@each_case
def test_log_densities_have_gradients_in_every_argument(case: Case) -> None:
    y = torch.tensor(np.asarray(case.law.ppf([0.1, 0.5, 0.8]), dtype=np.float64))
    arguments = [a.clone().expand(3).contiguous().requires_grad_() for a in case.tensors]
    free = [a for i, a in enumerate(arguments) if (case.family, i) != ("binomial", 0) and a[0] < 1e20]
    FAMILIES[case.family].log_density(y, tuple(arguments)).sum().backward()
    for argument in free:
        step = 1e-5 * torch.where(argument == 0, 1.0, argument.detach().abs())
        ends = []
        for way in (1, -1):
            moved = tuple(a.detach() + way * step if a is argument else a.detach() for a in arguments)
            ends.append(FAMILIES[case.family].log_density(y, moved))
        np.testing.assert_allclose(argument.grad, (ends[0] - ends[1]) / (2 * step), rtol=1e-4, atol=1e-5)
