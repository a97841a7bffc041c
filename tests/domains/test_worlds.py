"""Worlds of a domain: drawn, simulated, judged by their likelihood."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from domains.loading import load_text
from domains.worlds import DomainModel, Worlds
from meta_learner.streams import stream

NAN = math.nan
TWO_LAWS = """\
format: 1
name: two-laws
title: A straight line or a constant
designs: {x: {real: [-2, 2]}, tool: {choice: [coarse, fine]}, n: {integer: [0, 30]}}
parameters:
  slope: {prior: {normal: [1, 0.5]}}
  sd: {prior: {lognormal: [-1, 0.3]}}
  offset: 0.25
mechanisms:
  line:
    weight: 3
    parameters: {start: {prior: {uniform: [-1, 1]}}}
    let: {level: start + slope * x + offset}
  flat: {let: {level: offset + 0 * slope}}
outcomes:
  size: {normal: {mean: level, sd: "sd * where(tool == 'fine', 0.1, 1)"}}
  hits: {binomial: {n: n, p: sigmoid(level)}}
  count: {poisson: {rate: exp(level / 2)}}
  above: {bernoulli: {p: x > 0}}
budget: 5
goal: learn
"""
KNOWN = """\
format: 1
name: known-law
title: One law that has nothing to learn, one that has
designs: {x: {real: [0, 1]}}
parameters: {level: 2}
mechanisms:
  known: {let: {mean: level * x}}
  unknown: {parameters: {shift: {prior: {normal: [0, 1]}}}, let: {mean: level * x + shift}}
outcomes: {y: {normal: {mean: mean, sd: 0.5}}}
budget: 5
goal: discriminate
"""
SOURCES = """\
format: 1
name: three-sources
title: Sources without labels
designs: {x: {real: [0, 1]}}
parameters:
  noise: {prior: {halfnormal: [1]}}
  a1: {prior: {normal: [0, 2]}}
  b1: {prior: {normal: [a1, 1]}}
  a2: {prior: {normal: [0, 2]}}
  b2: {prior: {normal: [a2, 1]}}
  a3: {prior: {normal: [0, 2]}}
  b3: {prior: {normal: [a3, 1]}}
exchangeable: [[a1, b1], [a2, b2], [a3, b3]]
mechanisms: {only: {}}
outcomes: {y: {normal: {mean: a1 * b1 + a2 * b2 + a3 * b3, sd: noise}}}
budget: 5
goal: learn
"""


def model(text: str) -> DomainModel:
    return DomainModel(load_text(text))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tensor(*values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# ---- likelihood


def _expected(world: dict[str, float], design: list[float], outcome: list[float], law: str) -> list[float]:
    """log density of each outcome of TWO_LAWS by scipy, 0 where it is missing."""
    x, tool, n = design
    level = 0.25 + (world["start"] + world["slope"] * x if law == "line" else 0.0)
    size, hits, count, above = outcome
    each = [
        stats.norm.logpdf(size, level, world["sd"] * (0.1 if tool == 1 else 1)),
        stats.binom.logpmf(hits, n, 1 / (1 + math.exp(-level))),
        stats.poisson.logpmf(count, math.exp(level / 2)),
        stats.bernoulli.logpmf(above, float(x > 0)),
    ]
    return [0.0 if math.isnan(y) else float(value) for y, value in zip(outcome, each, strict=True)]


def test_log_likelihood_sums_over_the_outcomes() -> None:
    """Of each run's own law; checked against scipy for 200 worlds of two laws, four outcomes each."""
    domain = model(TWO_LAWS)
    worlds = domain.draw_worlds(200, seeded(1))
    designs = domain.space.uniform(200, seeded(2))
    outcomes = domain.simulate(worlds, designs, seeded(3))
    found = domain.log_likelihood(worlds, designs, outcomes)
    for run in range(200):
        law = domain.mechanisms[int(worlds.mechanism[run])].name
        truth = domain.truth(worlds, run)["parameters"]
        wanted = sum(_expected(truth, designs[run].tolist(), outcomes[run].tolist(), law))
        assert found[run].item() == pytest.approx(wanted, rel=1e-9)
    assert set(worlds.mechanism.tolist()) == {0, 1}
    assert found.isfinite().all()


@pytest.mark.parametrize("missing", [[0], [1], [0, 2], [0, 1, 2, 3]])
def test_a_missing_outcome_contributes_nothing(missing: list[int]) -> None:
    domain = model(TWO_LAWS)
    world = {"start": -0.3, "slope": 0.8, "sd": 0.4}
    design, outcome = [1.5, 1.0, 12.0], [1.2, 7.0, 3.0, 1.0]
    for index in missing:
        outcome[index] = NAN
    parameters = {name: torch.tensor(value, dtype=torch.float64) for name, value in world.items()}
    found = domain.mechanisms[0].log_likelihood(parameters, tensor(*design), tensor(*outcome))
    each = _expected(world, design, outcome, "line")
    assert [each[index] for index in missing] == [0.0] * len(missing)
    assert found.item() == pytest.approx(sum(each), rel=1e-12)


def test_impossible_outcomes_and_invalid_arguments_have_likelihood_zero() -> None:
    """Each particle for itself: −∞ for an invalid argument or an impossible outcome, never NaN."""
    mechanism = model(TWO_LAWS).mechanisms[0]
    parameters = {"start": tensor(0, 0, 0, NAN, 0), "slope": tensor(1, 1, 1, 1, 1), "sd": tensor(1, -1, NAN, 1, 0)}
    design = tensor(1, 0, 5)
    possible = mechanism.log_likelihood(parameters, design, tensor(1, 3, 2, 1))
    assert possible.isfinite().tolist() == [True, False, False, False, False]
    assert possible[1:].tolist() == [-math.inf] * 4
    for impossible in ([1, 6, 2, 1], [1, 3, -1, 1], [1, 2.5, 2, 1], [1, 3, 2, 0], [math.inf, 3, 2, 1]):
        assert mechanism.log_likelihood(parameters, design, tensor(*impossible)).tolist() == [-math.inf] * 5
    without_size = mechanism.log_likelihood(parameters, design, tensor(NAN, 3, 2, 1))
    assert without_size.isfinite().tolist() == [True, True, True, False, True]  # sd is not needed then


def test_particles_meet_experiments() -> None:
    """Parameters [runs, particles, 1] with designs [runs, 1, experiments, columns]: [runs, particles, experiments]."""
    domain = model(TWO_LAWS)
    mechanism = domain.mechanisms[0]
    parameters = mechanism.parameters(mechanism.sample_prior((2, 5), seeded(4)))
    designs = domain.space.uniform(6, seeded(5)).reshape(2, 3, 3)
    outcomes = tensor(0.3, 0, 1, 1).expand(2, 3, 4).clone()
    outcomes[1, 2] = tensor(NAN, 0, NAN, 0)
    columns = {name: value[..., None] for name, value in parameters.items()}
    found = mechanism.log_likelihood(columns, designs[:, None], outcomes[:, None])
    assert found.shape == (2, 5, 3)
    for run, particle, step in np.ndindex(2, 5, 3):
        one = {name: value[run, particle] for name, value in parameters.items()}
        wanted = mechanism.log_likelihood(one, designs[run, step], outcomes[run, step])
        assert found[run, particle, step].item() == pytest.approx(wanted.item(), rel=1e-12)


# ---- drawing and simulating worlds


@pytest.mark.statistical
def test_mechanisms_are_drawn_by_their_weights() -> None:
    """|share − ¾| < 0.005 of n = 200,000: α = 3e-7 (5.1 sd). Effect: a share off by 0.01, power > 99.9 %."""
    worlds = model(TWO_LAWS).draw_worlds(200_000, seeded(6))
    assert abs((worlds.mechanism == 0).double().mean().item() - 0.75) < 0.005


def test_weights_are_normalised() -> None:
    assert model(TWO_LAWS).log_weights.exp().tolist() == pytest.approx([0.75, 0.25])


@pytest.mark.statistical
def test_simulated_outcomes_follow_the_law() -> None:
    """z-scores of n = 40,000 outcomes: |mean| < 5.2/√n, |variance − 1| < 5.2·√(2/n), α < 1e-6 together.

    Effect: a mean off by 0.05 sd (10 sd of the mean) and an sd off by 4 % (11 sd of the variance), power > 99.9 %.
    """
    domain, n = model(TWO_LAWS), 40_000
    worlds, designs = domain.draw_worlds(n, seeded(7)), domain.space.uniform(n, seeded(8))
    size = domain.simulate(worlds, designs, seeded(9))[:, 0]
    line = worlds.parameters[0]
    level = torch.where(worlds.mechanism == 0, line["start"] + line["slope"] * designs[:, 0], 0.0) + 0.25
    sd = torch.where(worlds.mechanism == 0, line["sd"], worlds.parameters[1]["sd"])
    score = (size - level) / (sd * torch.where(designs[:, 1] == 1, 0.1, 1.0))
    assert abs(score.mean().item()) < 5.2 / math.sqrt(n)
    assert abs(score.square().mean().item() - 1) < 5.2 * math.sqrt(2 / n)


@pytest.mark.statistical
def test_the_outcomes_of_an_experiment_are_independent() -> None:
    """|correlation| < 5.2/√n of the noise of two outcomes, and of one outcome in neighbouring runs: α < 1e-6 together.

    n = 20,000. Effect: a correlation of 0.07, 5 sd beyond the limit, power > 99.9 %.
    """
    outcomes = "{y: {normal: {mean: mean, sd: 0.5}}, w: {normal: {mean: mean, sd: 2}}}"
    domain = model(KNOWN.replace("{y: {normal: {mean: mean, sd: 0.5}}}", outcomes))
    worlds = Worlds(torch.zeros(20_000, dtype=torch.long), domain.draw_worlds(20_000, seeded(25)).parameters)
    y, w = domain.simulate(worlds, torch.zeros((20_000, 1), dtype=torch.float64), seeded(26)).unbind(-1)
    for a, b in ((y, w), (y[1:], y[:-1]), (w[1:], w[:-1])):
        assert abs(torch.corrcoef(torch.stack([a, b]))[0, 1].item()) < 5.2 / math.sqrt(20_000)


def test_a_runs_noise_does_not_depend_on_other_runs() -> None:
    """Changing every other run's design, or every other run's law, leaves run r's outcomes as they are."""
    domain = model(TWO_LAWS)
    worlds, designs = domain.draw_worlds(40, seeded(10)), domain.space.uniform(40, seeded(11))
    outcomes = domain.simulate(worlds, designs, seeded(12))
    for run in (0, 17, 39):
        others = domain.space.uniform(40, seeded(13))
        others[run] = designs[run]
        mechanism = 1 - worlds.mechanism
        mechanism[run] = worlds.mechanism[run]
        changed = domain.simulate(Worlds(mechanism, worlds.parameters), others, seeded(12))
        assert torch.equal(changed[run], outcomes[run])
        assert not torch.equal(changed, outcomes)


def test_every_policy_meets_the_same_noise() -> None:
    """Two designs of one run use the same uniforms: the normal outcome's standard score is the same at both."""
    domain = model(TWO_LAWS)
    worlds = domain.draw_worlds(30, seeded(14))
    scores = []
    for x in (-1.0, 2.0):
        designs = tensor(x, 0, 3).expand(30, 3)
        laws = [m.outcome_arguments(p, designs)[0] for m, p in zip(domain.mechanisms, worlds.parameters, strict=True)]
        mean, sd = (torch.where(worlds.mechanism == 0, *(law[i].expand(30) for law in laws)) for i in (0, 1))
        scores.append((domain.simulate(worlds, designs, seeded(15))[:, 0] - mean) / sd)
    torch.testing.assert_close(scores[0], scores[1], rtol=0, atol=1e-9)


def test_draws_are_the_generators() -> None:
    domain = model(TWO_LAWS)
    first, second, other = (domain.draw_worlds(20, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.parameters[0]["slope"], second.parameters[0]["slope"])
    assert not torch.equal(first.parameters[0]["slope"], other.parameters[0]["slope"])


def test_truth_names_the_law_and_its_parameters() -> None:
    domain = model(TWO_LAWS)
    line = {"slope": tensor(1, 2), "sd": tensor(3, 4), "start": tensor(5, 6)}
    worlds = Worlds(torch.tensor([0, 1]), (line, {"slope": tensor(7, 8), "sd": tensor(9, 10)}))
    assert domain.truth(worlds, 0) == {"mechanism": "line", "parameters": {"slope": 1, "sd": 3, "start": 5}}
    assert domain.truth(worlds, 1) == {"mechanism": "flat", "parameters": {"slope": 8, "sd": 10}}


@pytest.mark.parametrize(
    ("before", "after"),
    [("mean: level, sd", "mean: log(level - 100), sd"), ("sd * where", "-sd * where"), ("n: n, p", "n: n / 0, p"),
     ("n: n, p", "n: 0 / (x - x), p"), ("n: n, p", "n: n + 0.5, p"), ("rate: exp(level / 2)", "rate: -exp(level)"),
     ("mean: level, sd", "mean: 1e308 * exp(level + 9), sd")],
)  # fmt: skip
def test_a_value_that_is_no_number_did_not_come_back(before: str, after: str) -> None:
    """NaN, infinity or an invalid argument: the outcome is missing; the others, and other laws, are as they were."""
    domain = model(TWO_LAWS.replace(before, after))
    worlds, designs = (
        domain.draw_worlds(3, seeded(16)),
        domain.space.decode(torch.full((3, 3), 0.7, dtype=torch.float64)),
    )
    found = domain.simulate(worlds, designs, seeded(17))
    sound = model(TWO_LAWS).simulate(worlds, designs, seeded(17))
    assert found.isnan().any()
    assert not found.isinf().any()
    assert torch.equal(found[~found.isnan()], sound[~found.isnan()])


def test_an_invalid_run_leaves_the_others_their_outcomes() -> None:
    domain = model(TWO_LAWS)
    worlds, designs = domain.draw_worlds(6, seeded(18)), domain.space.uniform(6, seeded(19))
    outcomes = domain.simulate(worlds, designs, seeded(20))
    for parameters in worlds.parameters:
        parameters["slope"][2] = NAN
    found = domain.outcomes(worlds, designs, seeded(20))
    assert found[2, 0].isnan()
    assert torch.equal(found[[0, 1, 3, 4, 5]], outcomes[[0, 1, 3, 4, 5]])


# ---- a law without unknowns


def test_a_law_without_unknowns() -> None:
    domain = model(KNOWN)
    known = domain.mechanisms[0]
    z = known.sample_prior((4, 3), seeded(0))
    assert z.shape == (4, 3, 0)
    assert known.parameters(z) == {}
    assert known.log_prior(z).tolist() == [[0.0] * 3] * 4
    worlds = Worlds(torch.tensor([0, 1, 0]), ({}, {"shift": tensor(5, 6, 7)}))
    designs, outcomes = tensor([0.5], [0.5], [1.0]), tensor([1.0], [7.5], [NAN])
    wanted = [stats.norm.logpdf(0, 0, 0.5), stats.norm.logpdf(0.5, 0, 0.5), 0.0]
    assert domain.log_likelihood(worlds, designs, outcomes).tolist() == pytest.approx(wanted)
    assert domain.truth(worlds, 0) == {"mechanism": "known", "parameters": {}}
    assert domain.simulate(domain.draw_worlds(9, seeded(1)), torch.rand(9, 1).double(), seeded(2)).isfinite().all()


# ---- exchangeable groups


def test_exchangeable_groups_are_drawn_in_order_and_stay_together() -> None:
    """The first members ascend, and each group's members are those that were drawn together."""
    mechanism = model(SOURCES).mechanisms[0]
    values = mechanism.parameters(mechanism.sample_prior((500,), seeded(21)))
    assert ((values["a1"] <= values["a2"]) & (values["a2"] <= values["a3"])).all()
    free = model(SOURCES.replace("exchangeable: [[a1, b1], [a2, b2], [a3, b3]]\n", "")).mechanisms[0]
    drawn = free.parameters(free.sample_prior((500,), seeded(21)))
    pairs = [[torch.stack([v[f"a{i}"], v[f"b{i}"]], dim=-1) for i in (1, 2, 3)] for v in (values, drawn)]
    ours, theirs = (torch.stack(groups, dim=1) for groups in pairs)  # [draws, groups, members]
    order = theirs[..., 0].argsort(-1)[..., None].expand(-1, -1, 2)
    assert torch.equal(ours, theirs.gather(1, order))
    assert torch.equal(values["noise"], drawn["noise"])


def test_the_ordered_density_is_3_factorial_times_the_unordered_one_and_zero_elsewhere() -> None:
    ordered = model(SOURCES).mechanisms[0]
    free = model(SOURCES.replace("exchangeable: [[a1, b1], [a2, b2], [a3, b3]]\n", "")).mechanisms[0]
    z = free.sample_prior((2000,), seeded(22))
    first = z[:, [free.names.index(name) for name in ("a1", "a2", "a3")]]
    in_order = (first.diff(dim=-1) >= 0).all(-1)
    found = ordered.log_prior(z)
    assert 200 < in_order.sum() < 470  # a sixth of them
    assert found[~in_order].tolist() == [-math.inf] * int((~in_order).sum())
    torch.testing.assert_close(found[in_order], free.log_prior(z)[in_order] + math.log(6), rtol=1e-12, atol=1e-12)
    assert ordered.log_prior(ordered.sample_prior((500,), seeded(23))).isfinite().all()


def test_the_ordered_density_integrates_to_one() -> None:
    """∬ exp log_prior over a grid of (z₁, z₂) of two exchangeable normals."""
    text = KNOWN.replace("parameters: {level: 2}", "parameters: {level: 2}\nexchangeable: [[p], [q]]").replace(
        "shift: {prior: {normal: [0, 1]}}", "shift: 0, p: {prior: {normal: [3, 2]}}, q: {prior: {normal: [3, 2]}}"
    )
    known, mechanism = model(text).mechanisms
    axis = torch.linspace(-8, 8, 801, dtype=torch.float64)
    density = mechanism.log_prior(torch.cartesian_prod(axis, axis)).exp().reshape(801, 801)
    density = density - 0.5 * torch.diag(density.diagonal())  # the edge of the ordered half counts half
    assert density.sum().item() * (axis[1] - axis[0]).item() ** 2 == pytest.approx(1.0, abs=1e-9)
    assert known.log_prior(torch.empty((3, 0), dtype=torch.float64)).tolist() == [0.0] * 3  # it has no such groups


def test_a_prior_that_is_no_number_has_no_density() -> None:
    mechanism = model(TWO_LAWS).mechanisms[0]
    z = mechanism.sample_prior((4,), seeded(24))
    z[1, 0], z[2, 1], z[3, 2] = NAN, math.inf, -math.inf
    found = mechanism.log_prior(z)
    assert found.isfinite().tolist() == [True, False, False, False]
    assert found[1:].tolist() == [-math.inf] * 3


# ---- every part of the format


def test_the_full_format_is_drawn_simulated_and_judged(full: str) -> None:
    """Its worlds give finite outcomes of the right kinds, which the likelihood in the same worlds finds possible."""
    domain = DomainModel(load_text(full))
    worlds, designs = domain.draw_worlds(60, seeded(31)), domain.space.uniform(60, seeded(32))
    outcomes = domain.simulate(worlds, designs, seeded(33))
    assert outcomes.isfinite().all()
    assert domain.log_likelihood(worlds, designs, outcomes).isfinite().all()
    named = dict(zip(domain.outcome_names, outcomes.unbind(-1), strict=True))
    assert set(named["kind"].unique().tolist()) == {0.0, 1.0, 2.0}
    assert named["seen"].max() <= 100
    values = worlds.parameters[0]
    assert ((values["a"] >= 0.1) & (values["a"] <= 10) & (values["spread"] >= 0)).all()
    assert set(values["k"].unique().tolist()) == {1.0, 2.0, 3.0}
    assert torch.equal(values["c"], values["c"].floor())


def test_tables_larger_than_a_cache_are_judged_as_their_parts() -> None:
    """A likelihood [2 runs, 300 particles, 100 designs] is worked out in pieces; each entry is as if alone."""
    model = DomainModel(load_text(TWO_LAWS))
    line = model.mechanisms[0]
    z = line.sample_prior((2, 300), stream(0, 0, 0, "prior"))
    parameters = {name: value[..., None] for name, value in line.parameters(z).items()}
    designs = model.space.uniform(200, stream(0, 0, 0, "design"))
    worlds = model.draw_worlds(200, stream(0, 0, 0, "world"))
    outcomes = model.simulate(worlds, designs, stream(0, 0, 0, "noise")).reshape(2, 1, 100, 4)
    designs = designs.reshape(2, 1, 100, 3)
    table = line.log_likelihood(parameters, designs, outcomes)
    assert table.shape == (2, 300, 100)
    for particle in (0, 137, 299):
        alone = {name: value[:, particle] for name, value in parameters.items()}
        assert torch.allclose(table[:, particle], line.log_likelihood(alone, designs[:, 0], outcomes[:, 0]), rtol=1e-12)


def test_many_runs_meet_their_own_worlds_and_designs() -> None:
    """100,000 runs are simulated in parts: every outcome lies within 7 of its own standard deviations (α < 1e-6)."""
    model = DomainModel(load_text(TWO_LAWS))
    worlds = model.draw_worlds(100_000, stream(0, 0, 0, "world"))
    designs = model.space.uniform(100_000, stream(0, 0, 0, "design"))
    sizes = model.simulate(worlds, designs, stream(0, 0, 0, "noise"))[:, 0]
    expected = model.in_worlds(worlds, designs[:, None], lambda law, p, d: law.expectations(p, d)[0])[:, 0]
    sd = model.in_worlds(worlds, designs[:, None], lambda law, p, d: law.outcome_arguments(p, d)[0][1])[:, 0]
    scores = (sizes - expected) / sd
    assert scores.abs().max() < 7
    assert scores.std().item() == pytest.approx(1.0, abs=0.02)
