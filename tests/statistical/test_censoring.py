"""Censored outcomes and the tails they need: against scipy's, far out, and with gradients."""

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from domains.censoring import censored
from domains.loading import load_text
from domains.outcomes import FAMILIES
from domains.worlds import DomainModel
from tests.statistical.test_outcomes import CASES, CONTINUOUS, DRAWS, LIMIT, Case, _draw, _tensors

CENSORABLE = [case for case in CASES if FAMILIES[case.family].tails is not None]
each_case = pytest.mark.parametrize("case", CENSORABLE, ids=lambda case: f"{case.family}{case.arguments}")


def test_only_labels_cannot_be_censored() -> None:
    assert {name for name, family in FAMILIES.items() if family.tails is None} == {"bernoulli", "categorical"}


def _bounds(case: Case) -> tuple[float, float]:
    low, high = (float(case.law.ppf(u)) for u in (0.2, 0.9))
    return low, high if high > low else low + 1


@each_case
def test_tails_are_the_textbooks(case: Case) -> None:
    """log P(Y ≤ y) and log P(Y ≥ y), at counts, between counts and outside the support."""
    tails = FAMILIES[case.family].tails
    assert tails is not None
    y = np.asarray(case.law.ppf([1e-12, 1e-4, 0.1, 0.5, 0.9, 1 - 1e-6, 1 - 1e-12]), dtype=np.float64)
    y = np.concatenate([y, y + 0.5, [-3.0, 0.0, 1e9]])
    found = tails.below(torch.tensor(y), case.tensors), tails.above(torch.tensor(y), case.tensors)
    before = y if case.family in CONTINUOUS else np.ceil(y) - 1
    with np.errstate(divide="ignore"):
        wanted = np.log(case.law.cdf(y)), np.log(case.law.sf(before))
    for ours, scipys in zip(found, wanted, strict=True):
        assert not ours.isnan().any()
        told = (scipys > -600) | (ours.numpy() > -600)  # further out scipy's underflow
        np.testing.assert_allclose(ours[told], scipys[told], rtol=1e-6, atol=1e-12)


FAR = [
    ("normal", (0.0, 1.0), -60.0, 60.0, -1805.0135606), ("logitnormal", (0.0, 1.0), 1e-30, None, None),
    ("lognormal", (0.0, 1.0), 1e-30, 1e30, -2391.0085), ("studentt", (1e9, 0.0, 1.0), -50.0, 50.0, None),
    ("poisson", (50.0,), None, 900.0, None), ("poisson", (2000.0,), 5.0, None, None),
    ("binomial", (5000.0, 0.5), 20.0, 4980.0, None), ("negative_binomial", (3.0, 900.0), None, 900.0, None),
    ("beta", (0.5, 2e4), 0.1, 0.9, None), ("gamma", (1.0, 900.0), 0.05, 9.0, None),
    ("exponential", (2.0,), None, 900.0, -1800),
]  # fmt: skip


@pytest.mark.parametrize(("family", "arguments", "low", "high", "wanted"), FAR)
def test_tails_that_underflow_are_still_numbers(
    family: str, arguments: tuple[float, ...], low: float | None, high: float | None, wanted: float | None
) -> None:
    """Against the density there: log P(Y ≥ y) = log Σ or ∫ of it, within a few nats of its value at y."""
    law = FAMILIES[family]
    tensors = _tensors(arguments)
    assert law.tails is not None
    for y, tail in ((low, law.tails.below), (high, law.tails.above)):
        if y is None:
            continue
        point = torch.tensor(y, dtype=torch.float64)
        found = tail(point, tensors).item()
        assert -20_000 < found < -280 or family == "logitnormal"
        step = 1.0 if family in ("poisson", "binomial", "negative_binomial") else abs(y) * 1e-3
        scale = law.log_density(point, tensors).item() + math.log(step)
        assert abs(found - scale) < 7
        if wanted is not None:
            assert found == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("rate", [2e5, 1e7, 1e9])
def test_tails_of_large_counts_are_sums_of_their_probabilities(rate: float) -> None:
    """From 12 standard deviations below the rate to 12 above it, by adding up 40 standard deviations of terms."""
    tails = FAMILIES["poisson"].tails
    assert tails is not None
    sd = math.sqrt(rate)
    for z in (-12.0, -4.5, -0.3, 0.0, 0.3, 4.6, 9.0, 12.0):
        k = math.floor(rate + z * sd)
        for tail, way in ((tails.below, -1), (tails.above, 1)):
            if way * z < 0:
                continue
            stride = max(1, int(sd / 2000))  # the trapezoidal rule, half a term more at the end
            terms = stats.poisson.logpmf(k + way * stride * np.arange(80_000), rate)
            wanted = special.logsumexp(terms) + math.log(stride)
            wanted += math.log1p(-0.5 * (1 - 1 / stride) * stride * math.exp(terms[0] - wanted))
            found = tail(torch.tensor(k, dtype=torch.float64), _tensors((rate,))).item()
            assert found == pytest.approx(wanted, abs=2e-5)


@each_case
def test_a_bound_holds_what_lies_beyond_it(case: Case) -> None:
    """Masses at the bounds, the density between them, −∞ outside; with one bound, nothing else changes."""
    family, (low, high) = FAMILIES[case.family], _bounds(case)
    y = torch.tensor([low - 1, low, (low + high) / 2, high, high + 1], dtype=torch.float64)
    y = y if case.family in CONTINUOUS else y.floor()
    both = censored(family, low, high).log_density(y, case.tensors)
    plain = family.log_density(y, case.tensors)
    assert family.tails is not None
    assert both[[0, 4]].tolist() == [-math.inf] * 2
    assert both[1] == family.tails.below(y[1], case.tensors)
    assert both[3] == family.tails.above(y[3], case.tensors)
    assert both[2] == plain[2] or case.family not in CONTINUOUS
    assert torch.equal(censored(family, low, None).log_density(y[y > low], case.tensors), plain[y > low])
    assert torch.equal(censored(family, None, high).log_density(y[y < high], case.tensors), plain[y < high])
    assert torch.equal(censored(family, low, high).mean(case.tensors), family.mean(case.tensors).nan_to_num(1)) or (
        case.family == "studentt"
    )


@each_case
def test_a_censored_law_adds_up_to_one(case: Case) -> None:
    """P(low) + ∫ or Σ of the density between + P(high) = 1."""
    low, high = _bounds(case)
    law = censored(FAMILIES[case.family], low, high)
    edges = law.log_density(torch.tensor([low, high], dtype=torch.float64), case.tensors).exp().sum().item()
    if case.family in CONTINUOUS:
        y = torch.linspace(low, high, 20_001, dtype=torch.float64)
        density = FAMILIES[case.family].log_density(y, case.tensors).exp()
        assert edges + torch.trapezoid(density, y).item() == pytest.approx(1, abs=2e-5)
    else:
        y = torch.arange(low + 1, high, dtype=torch.float64)
        assert edges + law.log_density(y, case.tensors).exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.statistical
@each_case
def test_censored_draws_are_the_draws_clipped_and_their_masses_are_right(case: Case) -> None:
    """The share of draws at each bound against its mass: α < 1e-6 a bound by Hoeffding, and a mass of 0.1 or more wrong
    by 10 % is seen with power > 99.9 %."""
    low, high = _bounds(case)
    law = censored(FAMILIES[case.family], low, high)
    draws = _draw(case.family, case.arguments, seed=20_261_109).clamp(low, high)
    uniforms = torch.rand((DRAWS, 2), generator=torch.Generator().manual_seed(20_261_109), dtype=torch.float64)
    spread = tuple(argument.expand(DRAWS) for argument in case.tensors)
    assert torch.equal(law.sample(spread, uniforms.clamp(2.0**-54, 1 - 2.0**-53)), draws)
    for bound in (low, high):
        mass = law.log_density(torch.tensor(bound, dtype=torch.float64), case.tensors).exp().item()
        assert abs((draws == bound).double().mean().item() - mass) < LIMIT


@each_case
def test_masses_have_gradients(case: Case) -> None:
    """Also scipy's, by central differences."""
    tails = FAMILIES[case.family].tails
    assert tails is not None
    for tail, bound in zip((tails.below, tails.above), _bounds(case), strict=True):
        y = torch.tensor(bound, dtype=torch.float64)
        arguments = tuple(a.clone().requires_grad_() for a in case.tensors)
        tail(y, arguments).backward()
        for index, argument in enumerate(arguments):
            if case.arguments[index] > 1e20 or (case.family, index) == ("binomial", 0):
                continue
            step = 1e-8 * (abs(case.arguments[index]) or 1.0)
            ends = [
                tail(
                    y,
                    _tensors(
                        (*case.arguments[:index], case.arguments[index] + way * step, *case.arguments[index + 1 :])
                    ),
                )
                for way in (1, -1)
            ]
            assert argument.grad is not None
            assert argument.grad.item() == pytest.approx(((ends[0] - ends[1]) / (2 * step)).item(), rel=1e-3, abs=1e-4)


DOCUMENT = """\
format: 1
name: detection
title: A meter with a range
designs: {x: {real: [0, 10]}}
parameters: {slope: {prior: {normal: [1, 0.1]}}}
mechanisms: {line: {let: {level: slope * x}}}
outcomes: {reading: {normal: {mean: level, sd: 1}, censor: [2, 6]}}
budget: 3
goal: learn
"""


def test_a_document_reads_between_its_bounds_and_expects_beyond_them() -> None:
    model = DomainModel(load_text(DOCUMENT))
    generator = torch.Generator().manual_seed(1)
    worlds = model.draw_worlds(500, generator)
    designs = model.space.uniform(500, generator)
    outcomes = model.simulate(worlds, designs, generator)
    assert (outcomes.min().item(), outcomes.max().item()) == (2.0, 6.0)
    assert ((outcomes > 2) & (outcomes < 6)).any()
    parameters = {"slope": torch.tensor(1.0, dtype=torch.float64)}
    ten = torch.tensor([10.0], dtype=torch.float64)
    law = model.mechanisms[0]
    assert law.expectations(parameters, ten)[0].item() == 10.0
    found = [law.log_likelihood(parameters, ten, torch.tensor([y]).double()).item() for y in (6.0, 5.0, 7.0)]
    assert found == pytest.approx([stats.norm.logsf(-4), stats.norm.logpdf(-5), -math.inf])
